// S14 (P5): a member that took part before makes no new promise after a start until a leader of at
// least its term has named this very process, or every other voter has said hello to it, or T has
// passed: then whoever knows that its disk forgot something had the chance to say so. Of one process.
import { demand } from "./violation.ts";

const property = "S14 quiet start";

export interface QuietBounds {
  /** False: it has never promised anything, or it is the only voter. */
  readonly mustBeQuiet: boolean;
  readonly timeoutTicks: number;
}

export class QuietStart {
  readonly #name: string;
  readonly #timeoutTicks: number;
  /** Who has said hello to this process. */
  readonly #met: Set<number>;
  #mustBeQuiet: boolean;

  constructor(name: string, { mustBeQuiet, timeoutTicks }: QuietBounds) {
    this.#name = name;
    this.#timeoutTicks = timeoutTicks;
    this.#met = new Set();
    this.#mustBeQuiet = mustBeQuiet;
  }

  /** A leader's message, of `term` where the own one was `ownTerm`; `echo`: it names this session. */
  ledBy(echo: boolean, term: number, ownTerm: number): void {
    if (echo && term >= ownTerm) this.#mustBeQuiet = false;
  }

  /** A process of another member has introduced itself. */
  met(raftId: number): void {
    this.#met.add(raftId);
  }

  /** It asks for a vote or grants one, `ticks` after its start. */
  promises(what: string, ticks: number, others: readonly number[]): void {
    if (!this.#mustBeQuiet) return;
    const missing = others.filter((id) => !this.#met.has(id));
    demand(
      missing.length === 0 || ticks >= this.#timeoutTicks,
      property,
      () =>
        `${this.#name} sends ${what} after ${ticks} ticks of ${this.#timeoutTicks}, ` +
        `has heard of no leader, and not of [${missing.join(", ")}]`,
    );
    this.#mustBeQuiet = false;
  }
}
