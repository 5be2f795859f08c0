// The log and hard state that a power loss now would leave on one disk, as the batches on the medium
// tell it. It begins with what a real recovery has found and then takes in one batch after the other
// as they become durable; so a look costs nothing when nothing was written.
import { assert } from "@quorate/base";
import type { Entry, HardState } from "@quorate/raft";
import { BatchKind, type BatchHeader, type BatchPayload } from "@quorate/storage/internal";
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
  #startIndex: number;
  #startTerm: number;
  /** Terms of the entries from #startIndex + 1 on. */
  readonly #terms: number[];

  /** Null: nothing is on the disk yet. */
  constructor(found: LogFound | null) {
    this.term = found?.hardState.term ?? 0;
    this.vote = found?.hardState.vote ?? 0;
    this.commit = found?.hardState.commit ?? 0;
    this.checkpointIndex = found?.checkpointIndex ?? 0;
    this.marked = false;
    this.#startIndex = found?.startIndex ?? 0;
    this.#startTerm = found?.startTerm ?? 0;
    this.#terms = found?.entries.map((entry) => entry.term) ?? [];
    this.lastIndexMax = this.lastIndex;
  }

  /** Terms of this index and everything below are not known here. */
  get startIndex(): number {
    return this.#startIndex;
  }

  get lastIndex(): number {
    return this.#startIndex + this.#terms.length;
  }

  termAt(index: number): number | null {
    if (index === this.#startIndex) return this.#startTerm;
    return this.#terms[index - this.#startIndex - 1] ?? null;
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
    const kept = header.firstIndex - 1 - this.#startIndex;
    assert(kept >= 0 && kept <= this.#terms.length, "a batch that does not join the log");
    this.#terms.length = kept;
    for (const entry of payload.entries) this.#terms.push(entry.term);
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
    const from = Math.max(this.#startIndex, other.#startIndex);
    for (let index = from; index <= this.lastIndex; index++) {
      const term = this.termAt(index);
      if (other.termAt(index) === term) continue;
      return `has term ${other.termAt(index)} at ${index}, not ${term}`;
    }
    return null;
  }
}
