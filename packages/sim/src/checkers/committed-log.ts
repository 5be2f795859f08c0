// S5, state-machine safety: what any member applies at an index, every member applies there. The
// first to apply an entry defines the committed log, which other checkers read.
import { equalBytes } from "@quorate/base";
import { demand } from "./violation.ts";

const property = "S5 state machine safety";

/** Stands for an entry that is not an operation of the state machine. */
export const otherKind = -1;

export interface CommittedEntry {
  readonly index: number;
  readonly term: number;
  readonly kind: number;
  readonly level: number;
  readonly wallMs: number;
  readonly payload: Uint8Array;
}

export class CommittedLog {
  readonly #entries: CommittedEntry[];
  /** Term of whoever was seen to apply it first: not below the term in which it was committed. */
  readonly #commitTerms: number[];

  constructor() {
    this.#entries = [];
    this.#commitTerms = [];
  }

  get lastIndex(): number {
    return this.#entries.length;
  }

  at(index: number): CommittedEntry {
    return this.#entries[index - 1]!;
  }

  commitTermAt(index: number): number {
    return this.#commitTerms[index - 1]!;
  }

  entries(): readonly CommittedEntry[] {
    return this.#entries;
  }

  applied(member: string, memberTerm: number, entry: CommittedEntry): void {
    demand(
      entry.index <= this.#entries.length + 1,
      property,
      () => `${member} applied ${entry.index}, but nobody had applied ${this.#entries.length + 1}`,
    );
    const known = this.#entries[entry.index - 1];
    if (known === undefined) {
      this.#entries.push(entry);
      this.#commitTerms.push(memberTerm);
      return;
    }
    demand(
      known.term === entry.term &&
        known.kind === entry.kind &&
        known.level === entry.level &&
        known.wallMs === entry.wallMs &&
        equalBytes(known.payload, entry.payload),
      property,
      () =>
        `${member} applied another entry at ${entry.index}: ` +
        `term ${entry.term} kind ${entry.kind}, before term ${known.term} kind ${known.kind}`,
    );
  }
}
