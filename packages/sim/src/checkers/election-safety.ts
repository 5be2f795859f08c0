// S1: at most one leader per term, ever (Raft figure 3).
import { demand } from "./violation.ts";

export class ElectionSafety {
  /** Term → raft id of its leader. */
  readonly #leaders: Map<number, number>;

  constructor() {
    this.#leaders = new Map();
  }

  leaderSeen(term: number, raftId: number): void {
    const known = this.#leaders.get(term);
    demand(
      known === undefined || known === raftId,
      "S1 election safety",
      () => `term ${term} has the leaders ${known} and ${raftId}`,
    );
    this.#leaders.set(term, raftId);
  }

  get leaderCount(): number {
    return this.#leaders.size;
  }

  get highestTerm(): number {
    return Math.max(0, ...this.#leaders.keys());
  }
}
