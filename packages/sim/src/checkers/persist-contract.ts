// The contract between the core and its host (raft/src/ready.ts, R1 to R5) as it is seen from outside,
// of one process: batches are numbered and acknowledged in order and only when the disk holds them,
// what waits for a batch leaves after it, committed entries are handed out and applied once and in
// order, and nothing lent is touched before the next batch is taken.
import { demand } from "./violation.ts";

const property = "persist contract";

/** A persist batch; `seq` 0: none. */
export interface SeenBatch {
  readonly seq: number;
  readonly mustSync: boolean;
  readonly term: number;
  readonly vote: number;
  /** Of the snapshot that it installs; 0: none. */
  readonly snapshotIndex: number;
  /** 0: no entries. */
  readonly firstIndex: number;
  readonly lastIndex: number;
  readonly lastTerm: number;
}

/** One Ready. */
export interface SeenReady {
  readonly batch: SeenBatch;
  /** Names of the messages that wait for `afterPersist`. */
  readonly parked: readonly string[];
  readonly afterPersist: number;
  /** 0: none is handed out. */
  readonly firstCommitted: number;
  readonly lastCommitted: number;
}

/** What a recovery of the disk would find. */
export interface DiskState {
  readonly term: number;
  readonly vote: number;
  holds(index: number, term: number): boolean;
}

export class PersistContract {
  readonly #name: string;
  /** Handed out and not acknowledged, in order. */
  #open: SeenBatch[];
  #issued: number;
  #acknowledged: number;
  /** Message → batches that copies of it wait for, ascending. */
  readonly #parked: Map<string, number[]>;
  /** Message → copies of it that wait for nothing any more and have not been seen to leave. */
  readonly #freed: Map<string, number>;
  #handed: number;
  #applied: number;

  /** `applied`: index of the checkpoint that the process starts with. */
  constructor(name: string, applied: number) {
    this.#name = name;
    this.#open = [];
    this.#issued = 0;
    this.#acknowledged = 0;
    this.#parked = new Map();
    this.#freed = new Map();
    this.#handed = applied;
    this.#applied = applied;
  }

  /** Batches not acknowledged yet. */
  get open(): number {
    return this.#open.length;
  }

  taken(ready: SeenReady): void {
    const { batch, parked, afterPersist, firstCommitted, lastCommitted } = ready;
    if (batch.seq > 0) {
      this.#demand(
        batch.seq === this.#issued + 1,
        () => `R1: batch ${batch.seq} after ${this.#issued}`,
      );
      this.#issued = batch.seq;
      this.#open.push(batch);
      if (batch.snapshotIndex > 0) this.#handed = batch.snapshotIndex;
    }
    for (const message of parked) {
      this.#demand(
        afterPersist <= this.#issued,
        () => `R2: ${message} waits for batch ${afterPersist}, there are ${this.#issued}`,
      );
      this.#park(message, afterPersist);
    }
    if (firstCommitted === 0) return;
    this.#demand(
      firstCommitted === this.#handed + 1,
      () => `R3: entry ${firstCommitted} is handed out after ${this.#handed}`,
    );
    this.#handed = lastCommitted;
  }

  #park(message: string, afterPersist: number): void {
    if (afterPersist <= this.#acknowledged) return this.#free(message, 1);
    const waiting = this.#parked.get(message);
    if (waiting === undefined) this.#parked.set(message, [afterPersist]);
    else waiting.push(afterPersist);
  }

  /** The host says that everything up to `seq` is durable; `lastOnDisk`: what the disk says. */
  persisted(seq: number, disk: DiskState): void {
    this.#demand(seq <= this.#issued, () => `R1: batch ${seq} of ${this.#issued} is acknowledged`);
    this.#demand(
      seq >= this.#acknowledged,
      () => `R1: batch ${seq} is acknowledged after ${this.#acknowledged}`,
    );
    this.#acknowledged = seq;
    while (this.#open.length > 0 && this.#open[0]!.seq <= seq) {
      const batch = this.#open.shift()!;
      if (batch.mustSync) this.#checkDurable(batch, disk);
    }
    for (const [message, waiting] of this.#parked) {
      const left = waiting.filter((after) => after > seq);
      this.#free(message, waiting.length - left.length);
      if (left.length === 0) this.#parked.delete(message);
      else this.#parked.set(message, left);
    }
  }

  #free(message: string, copies: number): void {
    if (copies > 0) this.#freed.set(message, (this.#freed.get(message) ?? 0) + copies);
  }

  #checkDurable(batch: SeenBatch, disk: DiskState): void {
    const { seq, term, vote, snapshotIndex, lastIndex, lastTerm } = batch;
    const knows = disk.term > term || (disk.term === term && (vote === 0 || disk.vote === vote));
    this.#demand(
      knows,
      () =>
        `R1: batch ${seq} has term ${term} vote ${vote}, the disk ${disk.term} and ${disk.vote}`,
    );
    this.#demand(
      snapshotIndex === 0 || disk.holds(snapshotIndex, 0),
      () => `R1: the snapshot of ${snapshotIndex} in batch ${seq} is not on the disk`,
    );
    // A later batch may have replaced it.
    const replaced = this.#open.some(
      ({ firstIndex, snapshotIndex: later }) =>
        (firstIndex > 0 && firstIndex <= lastIndex) || later >= lastIndex,
    );
    this.#demand(
      batch.firstIndex === 0 || replaced || disk.holds(lastIndex, lastTerm),
      () => `R1: entry ${lastIndex} of term ${lastTerm} in batch ${seq} is not on the disk`,
    );
  }

  /** A message of a kind that waits for the disk leaves. */
  sent(message: string): void {
    const freed = this.#freed.get(message) ?? 0;
    if (freed > 1) this.#freed.set(message, freed - 1);
    else this.#freed.delete(message);
    const waiting = this.#parked.get(message);
    this.#demand(
      freed > 0 || waiting === undefined,
      () => `R2: ${message} leaves before batch ${waiting?.[0]}, ${this.#acknowledged} is durable`,
    );
  }

  applied(index: number): void {
    this.#demand(
      index >= this.#applied,
      () => `R3: ${index} is told as applied after ${this.#applied}`,
    );
    this.#demand(
      index <= this.#handed,
      () => `R3: ${index} is applied, ${this.#handed} was handed out`,
    );
    this.#applied = index;
  }

  /** A checkpoint of the state at `index` is in force. */
  checkpointed(index: number, disk: DiskState): void {
    this.#demand(
      disk.holds(index, 0),
      () => `R3: a checkpoint of ${index}, which is not on the disk`,
    );
  }

  /** What was lent before: `now` is what it looks like when the next is taken. */
  lent(before: readonly number[], now: readonly number[]): void {
    const same = before.length === now.length && before.every((count, at) => count === now[at]);
    this.#demand(same, () => `R5: lent [${before.join(" ")}], come back as [${now.join(" ")}]`);
  }

  #demand(condition: boolean, message: () => string): void {
    demand(condition, property, () => `${this.#name} ${message()}`);
  }
}
