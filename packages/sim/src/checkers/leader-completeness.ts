// S4: a committed entry is in the log of every leader of a later term (Raft figure 3). Entries that
// were committed in the new leader's own or a later term are no business of it: a leader that wins
// late may be of an older term than what others have committed since.
import type { CommittedLog } from "./committed-log.ts";
import { demand } from "./violation.ts";

const property = "S4 leader completeness";

export interface LeaderLog {
  /** First index still in the log; everything before is in its checkpoint. */
  readonly firstIndex: number;
  readonly lastIndex: number;
  termAt(index: number): number | null;
}

export class LeaderCompleteness {
  readonly #committed: CommittedLog;

  constructor(committed: CommittedLog) {
    this.#committed = committed;
  }

  elected(raftId: number, term: number, log: LeaderLog): void {
    for (let index = this.#committed.lastIndex; index >= log.firstIndex; index--) {
      if (this.#committed.commitTermAt(index) >= term) continue;
      const entry = this.#committed.at(index);
      demand(
        index <= log.lastIndex,
        property,
        () => `leader ${raftId} of term ${term} ends at ${log.lastIndex}, committed is ${index}`,
      );
      const own = log.termAt(index);
      demand(
        own === entry.term,
        property,
        () => `leader ${raftId} of term ${term} has term ${own} at ${index}, not ${entry.term}`,
      );
    }
  }
}
