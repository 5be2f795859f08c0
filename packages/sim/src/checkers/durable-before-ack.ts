// S7: when a vote request, a vote grant, an append answer or a client's OK leaves, the durable image
// of the disk already contains what it speaks of (reliability.md §2.1). What is durable is told by
// the simulated disk, never by the member.
import { isQuorum, type Voters } from "./quorum.ts";
import { demand } from "./violation.ts";

const property = "S7 durable before ack";

/** What a recovery of a disk would find after the worst power loss. */
export interface DurableView {
  readonly term: number;
  readonly vote: number;
  /** Everything up to here is in the checkpoint. */
  readonly checkpointIndex: number;
  readonly lastIndex: number;
  /** The highest last index that was ever durable. */
  readonly lastIndexMax: number;
  /** Null: not in the log (but perhaps in the checkpoint). */
  termAt(index: number): number | null;
}

export interface VoteRequest {
  readonly from: number;
  readonly term: number;
  readonly lastIndex: number;
  readonly lastTerm: number;
}

export class DurableBeforeAck {
  checked: number;

  constructor() {
    this.checked = 0;
  }

  voteRequested(request: VoteRequest, disk: DurableView): void {
    const { from, term } = request;
    this.checked++;
    this.#holdsVote(from, term, from, disk, "asks for votes");
    // A leader of the same term may have replaced the quoted entry while the request waited for the
    // disk: then the log has become more up to date than it says.
    const replaced = (disk.termAt(disk.lastIndex) ?? 0) > request.lastTerm;
    if (replaced) return;
    this.#holdsEntry(from, request.lastIndex, request.lastTerm, disk, "quotes in a vote request");
  }

  voteGranted(from: number, to: number, term: number, disk: DurableView): void {
    this.checked++;
    this.#holdsVote(from, term, to, disk, `grants ${to} its vote`);
  }

  /** `entryTerm`: the term of the entry at `index` in the leader's log, or null if unknown. */
  appendAcknowledged(
    from: number,
    term: number,
    index: number,
    entryTerm: number | null,
    disk: DurableView,
  ): void {
    this.checked++;
    demand(
      disk.term >= term,
      property,
      () => `${from} acknowledges in term ${term}, its disk knows term ${disk.term}`,
    );
    if (term === disk.term) {
      this.#holdsEntry(from, index, entryTerm, disk, "acknowledges");
      return;
    }
    // Words of an older term, which waited for a connection: what they speak of was durable when they
    // were said, and a later leader may have had it replaced since.
    demand(
      index <= Math.max(disk.lastIndexMax, disk.checkpointIndex),
      property,
      () =>
        `${from} acknowledges entry ${index} of the past term ${term}, ` +
        `its disk never went beyond ${disk.lastIndexMax}`,
    );
  }

  /**
   * A client hears OK of the entry at `index`: the disks of a quorum of one of these configurations,
   * those that can have committed it and the ones after them, must hold it.
   */
  writeAcknowledged(
    index: number,
    term: number,
    confs: readonly Voters[],
    holdersOf: (conf: Voters) => (raftId: number) => boolean,
  ): void {
    this.checked++;
    demand(
      confs.some((conf) => isQuorum(conf, holdersOf(conf))),
      property,
      () => {
        const newest = confs.at(-1)!;
        const holders = newest.voters.filter(holdersOf(newest)).length;
        return (
          `entry ${index} of term ${term} is acknowledged and durable on ${holders} of ` +
          `${newest.voters.length}, no quorum`
        );
      },
    );
  }

  // A disk that knows a later term says nothing about the vote of an earlier one.
  #holdsVote(from: number, term: number, vote: number, disk: DurableView, what: string): void {
    const held = disk.term > term || (disk.term === term && disk.vote === vote);
    demand(
      held,
      property,
      () => `${from} ${what} in term ${term}, its disk holds term ${disk.term} vote ${disk.vote}`,
    );
  }

  #holdsEntry(
    from: number,
    index: number,
    term: number | null,
    disk: DurableView,
    what: string,
  ): void {
    demand(
      holdsEntry(disk, index, term),
      property,
      () =>
        `${from} ${what} entry ${index} of term ${term}, its disk ends at ${disk.lastIndex} ` +
        `and has term ${disk.termAt(index)} there`,
    );
  }
}

export function holdsEntry(disk: DurableView, index: number, term: number | null): boolean {
  if (index <= disk.checkpointIndex) return true;
  if (index > disk.lastIndex) return false;
  return term === null || disk.termAt(index) === term;
}
