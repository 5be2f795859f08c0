// The core's persist batches on their way to the disk, in order (law R1). An installation of a
// snapshot runs alone: batches before it are durable, batches behind it wait.
import { assert, must } from "@quorate/base";
import type { Entry, HardState, PersistBatch, PersistSeq, SnapshotMeta } from "@quorate/raft";
import type { CheckpointInfo, PeerRecord, SnapshotSink, StorageApi } from "@quorate/storage";
import type { Stalls } from "./stalls.ts";

class QueuedBatch {
  readonly seq: PersistSeq;
  readonly hardState: HardState;
  readonly snapshot: SnapshotMeta | null;
  readonly keepsLog: boolean;
  readonly firstIndex: number;
  readonly entries: readonly Entry[];
  readonly mustSync: boolean;

  constructor(batch: PersistBatch) {
    this.seq = batch.seq;
    this.hardState = must(batch.hardState, "a persist batch carries the full hard state");
    this.snapshot = batch.snapshot;
    this.keepsLog = batch.keepsLog;
    this.firstIndex = batch.firstIndex;
    this.entries = batch.entries.slice();
    this.mustSync = batch.mustSync;
  }
}

/** A snapshot whose bytes are complete on this disk under a staging name. */
export interface Staged {
  readonly sink: SnapshotSink;
  readonly checkpointId: number;
}

export class PersistQueue {
  readonly #storage: StorageApi;
  readonly #stalls: Stalls;
  readonly #durable: (seq: PersistSeq) => void;
  readonly #installed: (checkpoint: CheckpointInfo) => void;
  readonly #queue: QueuedBatch[];
  #staged: Staged | null;
  #installing: boolean;
  #stopped: boolean;
  #inFlight: number;
  /** Peers' records that wait for an installation to end; at most one a live session. */
  readonly #records: (() => void)[];
  /** As in the newest batch given to the disk; every batch quotes the whole hard state. */
  #hardState: HardState;

  constructor(
    storage: StorageApi,
    stalls: Stalls,
    hardState: HardState,
    durable: (seq: PersistSeq) => void,
    installed: (checkpoint: CheckpointInfo) => void,
  ) {
    this.#storage = storage;
    this.#stalls = stalls;
    this.#durable = durable;
    this.#installed = installed;
    this.#queue = [];
    this.#staged = null;
    this.#installing = false;
    this.#stopped = false;
    this.#inFlight = 0;
    this.#records = [];
    this.#hardState = hardState;
  }

  get installing(): boolean {
    return this.#installing || this.#staged !== null;
  }

  /** The snapshot that the next batch with `checkpointId` installs; null: none was taken. */
  stage(staged: Staged | null): void {
    this.#staged = staged;
  }

  /** A batch that installs the staged snapshot waits for its turn. */
  get snapshotQueued(): boolean {
    return this.#queue.some((batch) => batch.snapshot !== null);
  }

  get staged(): Staged | null {
    return this.#staged;
  }

  submit(batch: PersistBatch): void {
    assert(!this.#stopped, "a stopped member hands the disk nothing");
    this.#queue.push(new QueuedBatch(batch));
    this.#drain();
  }

  /**
   * A record of the host's own, outside the core's batches; it changes nothing they promise. While a
   * snapshot is being installed it waits: the hard state of then speaks of the snapshot's log, and
   * after a crash in between its commit index would be taken for one of the log of before.
   */
  recordPeer(record: PeerRecord, done: () => void): void {
    if (this.#stopped) return;
    if (this.#installing) {
      this.#records.push(() => this.recordPeer(record, done));
      return;
    }
    this.#storage.append(
      { hardState: this.#hardState, firstIndex: 0, entries: [], peers: [record], mustSync: true },
      done,
    );
  }

  /**
   * The disk is about to close: what it was not given yet never was promised. An installation that
   * runs goes on to its end, and nothing follows it.
   */
  stop(): void {
    this.#stopped = true;
    this.#queue.length = 0;
    this.#records.length = 0;
  }

  #drain(): void {
    while (this.#queue.length > 0 && !this.#installing) {
      const batch = this.#queue[0]!;
      if (batch.snapshot !== null) {
        if (this.#inFlight === 0 && !this.#storage.checkpointRunning) {
          this.#queue.shift();
          this.#install(batch, batch.snapshot);
        }
        return;
      }
      this.#queue.shift();
      this.#append(batch);
    }
  }

  /** A checkpoint that was running has ended: an installation may begin. */
  resume(): void {
    this.#drain();
  }

  #append(batch: QueuedBatch): void {
    this.#inFlight += 1;
    this.#hardState = batch.hardState;
    const sinceMs = this.#stalls.nowMs();
    this.#storage.append(
      {
        hardState: batch.hardState,
        firstIndex: batch.firstIndex,
        entries: batch.entries,
        peers: [],
        mustSync: batch.mustSync,
      },
      () => {
        this.#inFlight -= 1;
        this.#stalls.persisted(sinceMs);
        this.#durable(batch.seq);
        this.#drain();
      },
    );
  }

  #install(batch: QueuedBatch, snapshot: SnapshotMeta): void {
    const staged = must(this.#staged, "the core installs only what was staged");
    assert(
      staged.checkpointId === snapshot.checkpointId,
      "the staged snapshot is the one asked for",
    );
    this.#staged = null;
    this.#installing = true;
    this.#hardState = batch.hardState;
    this.#storage.install(staged.sink, batch.hardState, batch.keepsLog, (checkpoint) => {
      this.#installing = false;
      for (const record of this.#records.splice(0)) {
        record();
      }
      assert(checkpoint.index === snapshot.index, "the installed checkpoint is the one asked for");
      this.#installed(checkpoint);
      if (this.#stopped) return;
      if (batch.entries.length > 0) {
        this.#append(batch);
      } else {
        this.#durable(batch.seq);
      }
      this.#drain();
    });
  }
}
