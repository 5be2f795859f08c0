// The log and hard state that a power loss now would leave on one disk, as the batches on the medium
// tell it. It begins with what a real recovery has found and then takes in one batch after the other
// as they become durable; so a look costs nothing when nothing was written.
import { assert } from "@quorate/base";
import type { Entry, HardState, LogPoint } from "@quorate/raft";
import {
  BatchKind,
  GappedLog,
  type BatchHeader,
  type BatchPayload,
} from "@quorate/storage/internal";
import type { DurableView } from "../checkers/durable-before-ack.ts";
import { demand } from "../checkers/violation.ts";

/** A batch that is on the medium. */
export interface DurableBatch {
  readonly header: BatchHeader;
  readonly payload: BatchPayload;
}

/** What a log begins with. */
export interface LogFound {
  readonly hardState: HardState;
  /** 0: no checkpoint. */
  readonly checkpointIndex: number;
  /** Of the entry just below the first. */
  readonly startIndex: number;
  readonly startTerm: number;
  readonly entries: readonly Entry[];
  /** End of a log that lacks entries, and what is known of those above the first of them. */
  readonly promised?: LogPoint | null;
  readonly behind?: readonly Entry[];
}

export class DurableLog implements DurableView {
  term: number;
  vote: number;
  commit: number;
  /** When this began: what it covers and was never in the log since is held by it alone. */
  checkpointIndex: number;
  /** A snapshot's mark stands on the log: what it restarts at, only a recovery can tell (P9). */
  marked: boolean;
  /** The highest `lastIndex` so far. */
  lastIndexMax: number;
  readonly #log: GappedLog<LogPoint>;

  /** Null: nothing is on the disk yet. */
  constructor(found: LogFound | null) {
    this.term = found?.hardState.term ?? 0;
    this.vote = found?.hardState.vote ?? 0;
    this.commit = found?.hardState.commit ?? 0;
    this.checkpointIndex = found?.checkpointIndex ?? 0;
    this.marked = false;
    this.#log = new GappedLog(found?.startIndex ?? 0, found?.startTerm ?? 0);
    this.#log.append(this.#log.startIndex + 1, found?.entries ?? []);
    const promised = found?.promised ?? null;
    if (promised !== null) {
      this.#log.forgetAbove(this.#log.lastIndex, promised);
      this.#log.repair(found?.behind ?? []);
    }
    this.lastIndexMax = this.lastIndex;
  }

  /** Terms of this index and everything below are not known here. */
  get startIndex(): number {
    return this.#log.startIndex;
  }

  /** The log's end, also when its entry is lost. */
  get lastIndex(): number {
    return this.#log.lastIndex;
  }

  /** Entries lost below the end. */
  get missing(): number {
    return this.#log.missing;
  }

  /** Null also for an entry that is lost. */
  termAt(index: number): number | null {
    if (index === this.#log.startIndex) return this.#log.startTerm;
    return this.#log.known(index)?.term ?? null;
  }

  /**
   * Lost here, and yet held: what `medium` has, and the process of now has read before it was damaged
   * (null: it has not).
   */
  wasRead(medium: DurableLog, read: (index: number) => number | null): void {
    for (let index = this.startIndex + 1; index <= this.lastIndex; index++) {
      const term = this.termAt(index) === null ? medium.termAt(index) : null;
      if (term !== null && read(index) === term) this.#log.repair([{ index, term }]);
    }
  }

  append({ header, payload }: DurableBatch): void {
    demand(
      header.kind !== BatchKind.Boot,
      "P8 durable before it speaks",
      () => "the first batch of this start was not durable when Raft began to run",
    );
    this.term = header.term;
    this.vote = header.vote;
    this.commit = header.commit;
    if (header.kind === BatchKind.SnapshotMark) this.marked = true;
    if (header.entries === 0) return;
    const { firstIndex, kind } = header;
    const joins = firstIndex > this.startIndex && firstIndex <= this.lastIndex + 1;
    assert(joins, "a batch that does not join the log");
    if (kind === BatchKind.Repair) this.#log.repair(payload.entries);
    else this.#log.append(firstIndex, payload.entries);
    this.lastIndexMax = Math.max(this.lastIndexMax, this.lastIndex);
  }

  /** How the other, of the same moment, differs; null: where both know something they agree. */
  difference(other: DurableLog): string | null {
    if (other.term !== this.term || other.vote !== this.vote) {
      return `term ${other.term} vote ${other.vote}, not ${this.term} and ${this.vote}`;
    }
    if (other.lastIndex !== this.lastIndex) {
      return `ends at ${other.lastIndex}, not ${this.lastIndex}`;
    }
    const from = Math.max(this.startIndex, other.startIndex);
    for (let index = from; index <= this.lastIndex; index++) {
      const term = this.termAt(index);
      if (other.termAt(index) === term) continue;
      if (term === null && this.#log.missing > 0) continue;
      return `has term ${other.termAt(index)} at ${index}, not ${term}`;
    }
    return null;
  }
}
