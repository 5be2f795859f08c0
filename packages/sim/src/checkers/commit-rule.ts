// S9 and the last part of S6: a leader moves its commit index only to an entry of its own term that a
// quorum's disks hold, of both halves while the configuration is joint (Raft §5.4.2), counted here over
// durable copies; and whatever anybody else takes for committed some leader has committed that way.
import { isQuorum, type Voters } from "./quorum.ts";
import { demand } from "./violation.ts";

export interface LeaderCommit {
  readonly leader: string;
  readonly leaderTerm: number;
  readonly index: number;
  readonly conf: Voters;
  /** Of the entries in its log. */
  termAt(index: number): number | null;
}

export class CommitRule {
  /** Index → term of what leaders have committed by the rule; 0: nothing is at index 0. */
  readonly #terms: number[];
  checked: number;

  constructor() {
    this.#terms = [0];
    this.checked = 0;
  }

  get committed(): number {
    return this.#terms.length - 1;
  }

  /** `holds`: whether the disk behind a raft id has the entry. */
  leads(commit: LeaderCommit, holds: (raftId: number) => boolean): void {
    const { leader, leaderTerm, index, conf } = commit;
    const entryTerm = commit.termAt(index);
    this.checked++;
    demand(
      entryTerm === leaderTerm,
      "S9 commit rule",
      () => `${leader} commits ${index} of term ${entryTerm} in its term ${leaderTerm}`,
    );
    demand(
      isQuorum(conf, holds),
      "S9 commit rule",
      () =>
        `${leader} commits ${index} of term ${entryTerm}, which is on the disks of ` +
        `[${conf.voters.filter(holds).join(", ")}] of [${conf.voters.join(", ")}] and of ` +
        `[${conf.votersOutgoing.filter(holds).join(", ")}] of [${conf.votersOutgoing.join(", ")}]`,
    );
    const known = Math.min(index, this.committed);
    this.seen(leader, known, commit.termAt(known));
    for (let next = this.committed + 1; next <= index; next++) {
      this.#terms.push(commit.termAt(next) ?? 0);
    }
  }

  /** Anybody's commit index; `term`: of its entry there, null if it is in a checkpoint by now. */
  seen(incarnation: string, index: number, term: number | null): void {
    demand(
      index <= this.committed,
      "S6 frontiers",
      () => `${incarnation} takes ${index} for committed, a quorum's disks hold ${this.committed}`,
    );
    demand(
      term === null || term === this.#terms[index],
      "S6 frontiers",
      () =>
        `${incarnation} takes ${index} of term ${term} for committed, ` +
        `that of term ${this.#terms[index]} was`,
    );
  }
}
