// What is on its way to the disk, and what an acknowledgement means. A batch is named by a number
// that is never reused, which is why a late acknowledgement cannot be mistaken for one about entries
// that were overwritten and written again (lesson 5): each outstanding batch remembers how far the
// log that we have *now* will be durable once it is, and a truncation lowers that.
//
//   durableIndex ≤ issuedIndex ≤ last index of the log
import { assert } from "@quorate/base";
import type { HardState, Index, PersistSeq, SnapshotMeta } from "./types.ts";

/** A batch handed to the host and not yet acknowledged. */
export class OutstandingBatch {
  readonly seq: PersistSeq;
  readonly hardState: HardState;
  readonly snapshot: SnapshotMeta | null;
  /** Everything up to here of the present log is durable once this batch is. */
  durableTo: Index;
  readonly mustSync: boolean;

  constructor(
    seq: PersistSeq,
    hardState: HardState,
    snapshot: SnapshotMeta | null,
    durableTo: Index,
    mustSync: boolean,
  ) {
    this.seq = seq;
    this.hardState = hardState;
    this.snapshot = snapshot;
    this.durableTo = durableTo;
    this.mustSync = mustSync;
  }
}

export class PersistQueue {
  readonly #inFlightMax: number;
  /** In order of `seq`. Snapshots may exceed the bound by one. */
  #outstanding: OutstandingBatch[];
  #nextSeq: PersistSeq;
  /** Of the newest batch handed out. */
  issued: HardState;
  issuedIndex: Index;
  /** Commit index of the newest synced batch handed out. */
  issuedSyncCommit: Index;
  /** Of the newest batch acknowledged. */
  durable: HardState;
  durableIndex: Index;
  /** Commit index of the newest acknowledged batch that was synced: survives a power loss. */
  durableCommit: Index;

  constructor(inFlightMax: number, hardState: HardState, lastIndex: Index) {
    this.#inFlightMax = inFlightMax;
    this.#outstanding = [];
    this.#nextSeq = 1;
    this.issued = hardState;
    this.issuedIndex = lastIndex;
    this.issuedSyncCommit = hardState.commit;
    this.durable = hardState;
    this.durableIndex = lastIndex;
    this.durableCommit = hardState.commit;
  }

  get full(): boolean {
    return this.#outstanding.length >= this.#inFlightMax;
  }

  /** The newest batch not yet durable; 0: all are. */
  get pending(): PersistSeq {
    const count = this.#outstanding.length;
    return count === 0 ? 0 : this.#outstanding[count - 1]!.seq;
  }

  issue(
    hardState: HardState,
    snapshot: SnapshotMeta | null,
    lastIndex: Index,
    mustSync: boolean,
  ): PersistSeq {
    assert(hardState.term >= this.issued.term, "persist: term went back");
    assert(hardState.commit >= this.issued.commit, "persist: commit went back");
    assert(hardState.commit <= lastIndex, "persist: commit beyond what the disk will hold");
    const seq = this.#nextSeq;
    this.#nextSeq++;
    this.#outstanding.push(new OutstandingBatch(seq, hardState, snapshot, lastIndex, mustSync));
    this.issued = hardState;
    this.issuedIndex = lastIndex;
    if (mustSync) this.issuedSyncCommit = hardState.commit;
    return seq;
  }

  /** The oldest batch, if `seq` covers it: it is durable now. Null: no more. */
  acknowledge(seq: PersistSeq): OutstandingBatch | null {
    assert(seq < this.#nextSeq, "persist: acknowledged what was never handed out");
    if (this.#outstanding.length === 0 || this.#outstanding[0]!.seq > seq) return null;
    const batch = this.#outstanding.shift()!;
    this.durable = batch.hardState;
    this.durableIndex = Math.max(this.durableIndex, batch.durableTo);
    if (batch.mustSync) this.durableCommit = Math.max(this.durableCommit, batch.hardState.commit);
    return batch;
  }

  /** The log from `index` on was replaced: acknowledgements still to come speak of the old one. */
  truncated(index: Index): void {
    this.issuedIndex = Math.min(this.issuedIndex, index - 1);
    this.durableIndex = Math.min(this.durableIndex, index - 1);
    for (const batch of this.#outstanding) batch.durableTo = Math.min(batch.durableTo, index - 1);
  }

  /** A snapshot up to `index` replaced the whole log; it still has to be made durable. */
  replaced(index: Index): void {
    this.issuedIndex = index;
    this.durableIndex = 0;
    for (const batch of this.#outstanding) batch.durableTo = 0;
  }
}
