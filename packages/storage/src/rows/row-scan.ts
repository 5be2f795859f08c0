// The full pass over a checkpoint's rows at start and after an install: every byte of every segment
// is checked (CRC with nonce and offset, order, padding), places are learned, rows are shown. In
// slices, so that the event loop goes on.
import { crc32c } from "@quorate/base";
import { ScannedRow } from "@quorate/kv";
import type { RowRef } from "@quorate/kv";
import { hex } from "../directory/record-file.ts";
import { padded } from "../medium.ts";
import type { RowSegmentEntry } from "../manifest/manifest-api.ts";
import { decodeInto, RowBlock, rowLength, rowMain, rowProblem, rowSub } from "./row-codec.ts";
import type { RowLog } from "./row-log.ts";
import { RowSegment } from "./row-segment.ts";
import { segmentHeaderBytes } from "./segment-header.ts";

/** Read at once: one read of this size costs about 0.2 ms from the page cache. */
const blockBytes = 1_048_576;
/** A slice ends after so many bytes even if the caller asked for more rows. */
const sliceBytesMax = 1_048_576;

export class RowScan {
  readonly #log: RowLog;
  readonly #entries: readonly RowSegmentEntry[];
  #entry: number;
  #segment: RowSegment | null;
  /** Offset in the segment. */
  #at: number;
  /** CRC32C over the segment below `#crcTo`: rows have their own, but zeros are padding. */
  #crc: number;
  #crcTo: number;
  /** Of one size and used again, but for a row that is longer. */
  #block: RowBlock;
  /** No segment needs a larger one. */
  readonly #blockMin: number;
  /** Of the block's bytes those that were read. */
  #blockEnd: number;
  #blockOffset: number;
  readonly #row: ScannedRow;

  constructor(log: RowLog, entries: readonly RowSegmentEntry[]) {
    this.#log = log;
    this.#entries = entries;
    this.#entry = 0;
    this.#segment = null;
    this.#at = 0;
    this.#crc = 0;
    this.#crcTo = 0;
    this.#block = new RowBlock(new Uint8Array(0));
    this.#blockMin = Math.min(blockBytes, Math.max(0, ...entries.map(({ bytes }) => bytes)));
    this.#blockEnd = 0;
    this.#blockOffset = 0;
    this.#row = new ScannedRow();
  }

  /** True when all rows were visited. */
  step(rowsMax: number, visit: (row: ScannedRow, ref: RowRef) => void): boolean {
    let rows = 0;
    let bytes = 0;
    while (rows < rowsMax && bytes < sliceBytesMax) {
      const segment = this.#segment ?? this.#enterNext();
      if (segment === null) return true;
      if (this.#at === segment.savedBytes) {
        this.#leave(segment);
        continue;
      }
      const before = this.#at;
      if (this.#next(segment, visit)) rows += 1;
      bytes += this.#at - before;
    }
    return this.#segment === null && this.#entry === this.#entries.length;
  }

  #enterNext(): RowSegment | null {
    const entry = this.#entries[this.#entry];
    if (entry === undefined) return null;
    this.#entry += 1;
    const segment = RowSegment.named(entry, this.#log.nextRef);
    this.#log.pushNamed(segment);
    this.#segment = segment;
    this.#crc = 0;
    this.#crcTo = 0;
    this.#load(segment, 0, blockBytes);
    this.#at = segmentHeaderBytes;
    return segment;
  }

  #leave(segment: RowSegment): void {
    if (segment.places.count === 0) {
      this.#log.files.damaged(segment, segmentHeaderBytes, null, "a segment without rows");
    }
    if (this.#crc !== segment.crc) {
      const [found, wanted] = [hex(this.#crc), hex(segment.crc)];
      this.#log.files.damaged(segment, 0, null, `CRC ${found} of all, the manifest says ${wanted}`);
    }
    this.#log.scannedAll(segment);
    this.#segment = null;
  }

  /** One row, true, or the padding up to the next 4 KiB, false. */
  #next(segment: RowSegment, visit: (row: ScannedRow, ref: RowRef) => void): boolean {
    const offset = this.#at;
    const { files } = this.#log;
    let length = rowLength(this.#have(segment, 1), this.#in(offset), this.#end());
    if (length === 0) {
      this.#padding(segment);
      return false;
    }
    if (length > 0) {
      this.#have(segment, Math.min(length, segment.savedBytes - offset));
      length = rowLength(this.#block, this.#in(offset), this.#end());
    }
    if (length < 0 || offset + length > segment.savedBytes) {
      files.damaged(segment, offset, null, "no row of this format stands here");
    }
    const block = this.#have(segment, length);
    const at = this.#in(offset);
    const main = rowMain(block, at);
    const problem =
      rowProblem(block, at, length, segment.seed, offset) ??
      this.#log.scanned(segment, main, rowSub(block, at), offset, length);
    if (problem !== null) files.damaged(segment, offset, main, problem);
    this.#at = offset + length;
    decodeInto(this.#row, block, at);
    visit(this.#row, this.#log.nextRef - 1);
    return true;
  }

  #padding(segment: RowSegment): void {
    const offset = this.#at;
    const end = Math.min(padded(offset + 1), segment.savedBytes);
    const block = this.#have(segment, end - offset);
    for (let at = this.#in(offset); at < this.#in(end); at++) {
      if (block.bytes[at] !== 0) {
        const where = this.#blockOffset + at;
        this.#log.files.damaged(segment, where, null, "padding that is not zero");
      }
    }
    this.#at = end;
  }

  #in(offset: number): number {
    return offset - this.#blockOffset;
  }

  #end(): number {
    return this.#blockEnd;
  }

  /** The block, with at least `length` bytes from the present offset on. */
  #have(segment: RowSegment, length: number): RowBlock {
    const offset = this.#at;
    if (this.#in(offset) + length > this.#end()) {
      this.#load(segment, offset, Math.max(length, blockBytes));
    }
    return this.#block;
  }

  #load(segment: RowSegment, offset: number, length: number): void {
    const end = Math.min(length, segment.savedBytes - offset);
    if (this.#block.bytes.length < end || this.#block.bytes.length > blockBytes) {
      this.#block = new RowBlock(new Uint8Array(Math.max(end, this.#blockMin)));
    }
    const { bytes } = this.#block;
    this.#log.files.readNow(segment, offset, bytes.subarray(0, end));
    this.#crc = crc32c(bytes, this.#crcTo - offset, end, this.#crc);
    this.#crcTo = offset + end;
    this.#blockEnd = end;
    this.#blockOffset = offset;
  }
}
