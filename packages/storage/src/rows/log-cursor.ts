// A walk over the rows in revision order. It remembers only the ref that comes next: segments may be
// rewritten, dropped or saved between two steps, and rows appended meanwhile are seen.
import { assert } from "@quorate/base";
import type { Row, RowCursor, RowRef } from "@quorate/kv";
import type { RowSegment } from "./row-segment.ts";
import type { SegmentFiles } from "./segment-files.ts";
import { SegmentReader } from "./segment-reader.ts";

/** What a walk needs of the row log. */
export interface WalkedLog {
  readonly files: SegmentFiles;
  /** Everything before is void when it changes. */
  readonly epoch: number;
  /** The list of segments changed. */
  readonly version: number;
  segmentOf(ref: RowRef): RowSegment | null;
  segmentBehind(ref: RowRef): RowSegment | null;
}

export class LogCursor implements RowCursor {
  readonly #log: WalkedLog;
  readonly #epoch: number;
  #version: number;
  #nextRef: RowRef;
  #lastRef: RowRef;
  #segment: RowSegment | null;
  #position: number;
  readonly #reader: SegmentReader;

  constructor(log: WalkedLog, firstRef: RowRef) {
    this.#log = log;
    this.#epoch = log.epoch;
    this.#version = -1;
    this.#nextRef = firstRef;
    this.#lastRef = -1;
    this.#segment = null;
    this.#position = 0;
    this.#reader = new SegmentReader(log.files);
  }

  next(): Row | null {
    if (this.#epoch !== this.#log.epoch) return null;
    if (this.#version !== this.#log.version) this.#locate();
    while (this.#segment !== null && this.#position >= this.#segment.places.count) {
      if (!this.#enter(this.#log.segmentBehind(this.#segment.places.firstRef))) return null;
    }
    const segment = this.#segment;
    if (segment === null) return null;
    const ref = segment.places.refAt(this.#position);
    const row = this.#reader.rowAt(segment, this.#position);
    this.#position += 1;
    this.#lastRef = ref;
    this.#nextRef = ref + 1;
    return row;
  }

  ref(): RowRef {
    assert(this.#lastRef >= 0, "RowCursor.ref: no row was given yet");
    return this.#lastRef;
  }

  #locate(): void {
    const log = this.#log;
    this.#version = log.version;
    const segment = log.segmentOf(this.#nextRef) ?? log.segmentBehind(this.#nextRef);
    this.#segment = segment;
    this.#position = segment === null ? 0 : segment.places.lowerBound(this.#nextRef);
  }

  /** False at the end: the present segment may still grow. */
  #enter(segment: RowSegment | null): boolean {
    if (segment === null) return false;
    this.#segment = segment;
    this.#position = segment.places.lowerBound(this.#nextRef);
    return true;
  }
}
