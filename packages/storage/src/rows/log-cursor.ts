// A walk over the rows in revision order. It remembers only the ref that comes next: segments may be
// rewritten, dropped or saved between two steps, and rows appended meanwhile are seen. Reads ahead
// in blocks, growing with the length of the walk.
import { assert } from "@quorate/base";
import type { Row, RowCursor, RowRef } from "@quorate/kv";
import { RowBlock } from "./row-codec.ts";
import type { RowSegment } from "./row-segment.ts";
import type { SegmentFiles } from "./segment-files.ts";

/** What a walk needs of the row log. */
export interface WalkedLog {
  readonly files: SegmentFiles;
  /** Everything before is void when it changes. */
  readonly epoch: number;
  /** The list of segments changed. */
  readonly version: number;
  segmentOf(ref: RowRef): RowSegment | null;
  segmentBehind(ref: RowRef): RowSegment | null;
  checkedRow(segment: RowSegment, block: RowBlock, at: number, bound: number, offset: number): Row;
}

const blockBytesMin = 8_192;
const blockBytesMax = 262_144;

export class LogCursor implements RowCursor {
  readonly #log: WalkedLog;
  readonly #epoch: number;
  #version: number;
  #nextRef: RowRef;
  #lastRef: RowRef;
  #segment: RowSegment | null;
  #position: number;
  /** Bytes of `#segment` from `#blockOffset` on; null: none read. */
  #block: RowBlock | null;
  #blockOffset: number;
  #blockBytes: number;

  constructor(log: WalkedLog, firstRef: RowRef) {
    this.#log = log;
    this.#epoch = log.epoch;
    this.#version = -1;
    this.#nextRef = firstRef;
    this.#lastRef = -1;
    this.#segment = null;
    this.#position = 0;
    this.#block = null;
    this.#blockOffset = 0;
    this.#blockBytes = blockBytesMin;
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
    const row = segment.unsavedRowAt(this.#position) ?? this.#savedRow(segment);
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
    this.#block = null;
  }

  /** False at the end: the present segment may still grow. */
  #enter(segment: RowSegment | null): boolean {
    if (segment === null) return false;
    this.#segment = segment;
    this.#position = segment.places.lowerBound(this.#nextRef);
    this.#block = null;
    return true;
  }

  #savedRow(segment: RowSegment): Row {
    const offset = segment.places.offsetAt(this.#position);
    const bound = segment.boundAt(this.#position);
    const block = this.#blockWith(segment, offset, bound);
    return this.#log.checkedRow(segment, block, offset - this.#blockOffset, bound, offset);
  }

  #blockWith(segment: RowSegment, offset: number, bound: number): RowBlock {
    const block = this.#block;
    const from = this.#blockOffset;
    if (block !== null && offset >= from && offset + bound <= from + block.bytes.length) {
      return block;
    }
    const wanted = Math.max(bound, this.#blockBytes);
    const length = Math.min(wanted, segment.savedBytes - offset);
    const fresh = new RowBlock(new Uint8Array(length));
    this.#log.files.readNow(segment, offset, fresh.bytes);
    this.#block = fresh;
    this.#blockOffset = offset;
    this.#blockBytes = Math.min(2 * this.#blockBytes, blockBytesMax);
    return fresh;
  }
}
