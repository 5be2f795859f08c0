// S6: snapshot ≤ applied ≤ committed ≤ last, applied ≤ durable, and term, commit and applied never
// go back while a process lives.
import { demand } from "./violation.ts";

const property = "S6 frontiers";

export interface Frontiers {
  readonly term: number;
  readonly snapshotIndex: number;
  readonly applied: number;
  readonly committed: number;
  readonly lastIndex: number;
  readonly durableIndex: number;
  /** A snapshot is being put in force: what counts as applied is not yet durable, nor readable. */
  readonly installing: boolean;
}

export class FrontierOrder {
  /** Process → what it showed last. */
  readonly #last: Map<string, Frontiers>;

  constructor() {
    this.#last = new Map();
  }

  seen(incarnation: string, now: Frontiers): void {
    const ordered =
      now.snapshotIndex <= now.applied &&
      now.applied <= now.committed &&
      now.committed <= now.lastIndex &&
      (now.installing || now.applied <= now.durableIndex) &&
      now.durableIndex <= now.lastIndex;
    demand(ordered, property, () => `${incarnation}: ${JSON.stringify(now)}`);
    const before = this.#last.get(incarnation);
    if (before !== undefined) {
      const forward =
        before.term <= now.term &&
        before.committed <= now.committed &&
        before.applied <= now.applied;
      demand(
        forward,
        property,
        () => `${incarnation} went back from ${JSON.stringify(before)} to ${JSON.stringify(now)}`,
      );
    }
    this.#last.set(incarnation, now);
  }

  gone(incarnation: string): void {
    this.#last.delete(incarnation);
  }
}
