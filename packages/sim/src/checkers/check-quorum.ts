// P7: a leader that hears nothing of a quorum steps down. Of one process, counted twice: by the ticks
// that it was given, where the bound is exact, and by its own clock, where a process that was neither
// paused nor behind may not lead longer than T, two heartbeats and a tick after the last answers.
import { isQuorum, type Voters } from "./quorum.ts";
import { demand } from "./violation.ts";

const property = "P7 check-quorum";

export interface QuorumBounds {
  readonly timeoutTicks: number;
  /** T, two heartbeats, a tick. */
  readonly silenceMsMax: number;
}

/** One moment of the process, by both of its clocks. */
export interface Moment {
  readonly tick: number;
  readonly ms: number;
}

export class CheckQuorum {
  readonly #name: string;
  readonly #raftId: number;
  readonly #bounds: QuorumBounds;
  /** Member → when it last answered in this term. */
  readonly #answers: Map<number, Moment>;
  #term: number;
  /** Nothing can be said about silence by the clock from before: then it was paused, say. */
  #sinceMs: number;

  constructor(name: string, raftId: number, bounds: QuorumBounds) {
    this.#name = name;
    this.#raftId = raftId;
    this.#bounds = bounds;
    this.#answers = new Map();
    this.#term = 0;
    this.#sinceMs = 0;
  }

  /** A message of another member, of its own present term, reaches it: at most that is an answer. */
  heard(from: number, term: number, now: Moment): void {
    this.#enter(term);
    this.#answers.set(from, now);
  }

  /** It did not run, or not in time, up to now. */
  disturbed(ms: number): void {
    this.#sinceMs = ms;
  }

  /** A tick has passed and it leads on. */
  leadsOn(term: number, conf: Voters, now: Moment): void {
    this.#enter(term);
    for (const id of [...conf.voters, ...conf.votersOutgoing]) {
      // New in the configuration, or since its election: counts as heard now.
      if (!this.#answers.has(id)) this.#answers.set(id, now);
    }
    this.#answers.set(this.#raftId, now);
    const { timeoutTicks, silenceMsMax } = this.#bounds;
    const ticksOf = (id: number): number => now.tick - this.#answers.get(id)!.tick;
    demand(
      isQuorum(conf, (id) => ticksOf(id) <= timeoutTicks),
      property,
      () =>
        `${this.#name} leads on in term ${term}; ticks since it heard the others: ` +
        `${conf.voters.map((id) => `${id} ${ticksOf(id)}`).join(", ")}, allowed ${timeoutTicks}`,
    );
    const silenceMs = (id: number): number => {
      return now.ms - Math.max(this.#answers.get(id)!.ms, this.#sinceMs);
    };
    demand(
      isQuorum(conf, (id) => silenceMs(id) <= silenceMsMax),
      property,
      () =>
        `${this.#name} leads on in term ${term}; ms since it heard the others: ` +
        `${conf.voters.map((id) => `${id} ${silenceMs(id)}`).join(", ")}, allowed ${silenceMsMax}`,
    );
  }

  #enter(term: number): void {
    if (term <= this.#term) return;
    this.#term = term;
    this.#answers.clear();
  }
}
