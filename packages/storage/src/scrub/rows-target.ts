// Rereads the saved part of one row segment, row by row: the checks of the scan at a start, in short
// slices, over a file of its own, and what is wrong is an outcome.
import { isRefused } from "../directory/access.ts";
import { crc32c } from "@quorate/base";
import { hex } from "../directory/record-file.ts";
import { DiskError } from "../env.ts";
import type { Disk, DiskFile } from "../env.ts";
import { padded } from "../medium.ts";
import { RowBlock, rowHeaderBytes, rowLength, rowMain, rowProblem } from "../rows/row-codec.ts";
import type { RowSegment } from "../rows/row-segment.ts";
import { decodeSegmentHeader, segmentHeaderBytes } from "../rows/segment-header.ts";
import type { ScrubFinding, ScrubTarget } from "./scrub-api.ts";

export class RowsTarget implements ScrubTarget {
  readonly #disk: Pick<Disk, "openNow">;
  readonly #path: string;
  readonly #segment: RowSegment;
  readonly #inForce: () => boolean;
  /** Saved when this pass came to it; what is saved later was checked when it was written. */
  readonly #bytes: number;
  readonly #wantedCrc: number;
  /** CRC32C over what was reread, below `#crcTo`. */
  #crc: number;
  #crcTo: number;
  #file: DiskFile | null;
  #at: number;
  /** The system does not give the file out now, which says nothing about it: the next pass will see. */
  #isRefused: boolean;
  finding: ScrubFinding | null;

  constructor(
    disk: Pick<Disk, "openNow">,
    path: string,
    segment: RowSegment,
    inForce: () => boolean,
  ) {
    this.#disk = disk;
    this.#path = path;
    this.#segment = segment;
    this.#inForce = inForce;
    this.#bytes = segment.savedBytes;
    this.#wantedCrc = segment.crc;
    this.#crc = 0;
    this.#crcTo = 0;
    this.#file = null;
    this.#at = 0;
    this.#isRefused = false;
    this.finding = null;
  }

  stands(): boolean {
    return !this.#isRefused && this.#inForce();
  }

  step(bytesMax: number): number {
    if (this.finding !== null || this.#at >= this.#bytes) return 0;
    const from = this.#at;
    const length = Math.min(Math.max(bytesMax, segmentHeaderBytes), this.#bytes - from);
    const block = this.#read(from, length);
    if (block === null) return length;
    if (from === 0) this.#checkHeader(block);
    this.#walk(block, from, length);
    if (this.#at === this.#bytes && this.#crc !== this.#wantedCrc) {
      this.#found(0, `CRC ${hex(this.#crc)} of all, want ${hex(this.#wantedCrc)}`, false);
    }
    return length;
  }

  close(): void {
    this.#file?.close();
    this.#file = null;
  }

  /** Rows and padding that the block holds whole. */
  #walk(block: RowBlock, from: number, length: number): void {
    const end = from + length;
    while (this.finding === null && this.#at < end) {
      const at = this.#at - from;
      const row = rowLength(block, at, length);
      if (row === 0) {
        const to = Math.min(padded(this.#at + 1), end);
        const dirty = block.bytes.subarray(at, to - from).findIndex((byte) => byte !== 0);
        if (dirty >= 0) return this.#found(this.#at + dirty, "padding that is not zero", false);
        this.#at = to;
      } else if (row > 0 && at + row <= length) {
        this.#checkRow(block, at, row);
        this.#at += row;
      } else if (row > 0 && at > 0 && end < this.#bytes) {
        return; // the next block begins with it
      } else {
        return this.#longRow(row);
      }
    }
  }

  /** A row that no block holds whole, or none. */
  #longRow(row: number): void {
    const left = this.#bytes - this.#at;
    const head = row < 0 || left < rowHeaderBytes ? null : this.#read(this.#at, rowHeaderBytes);
    if (this.finding !== null) return;
    const length = head === null ? -1 : rowLength(head, 0, rowHeaderBytes);
    if (length <= 0 || length > left) {
      return this.#found(this.#at, "no row of this format stands here", false);
    }
    const whole = this.#read(this.#at, length);
    if (whole === null) return;
    this.#checkRow(whole, 0, length);
    this.#at += length;
  }

  #checkRow(block: RowBlock, at: number, length: number): void {
    const problem = rowProblem(block, at, length, this.#segment.seed, this.#at);
    if (problem === null) return;
    this.#found(this.#at, `revision ${rowMain(block, at)}: ${problem}`, false);
  }

  #checkHeader(block: RowBlock): void {
    const header = decodeSegmentHeader(block.bytes);
    this.#at = segmentHeaderBytes;
    if (typeof header === "string") return this.#found(0, header, false);
    const { nonce, firstMain } = this.#segment;
    if (header.nonce === nonce && header.firstMain === firstMain) return;
    this.#found(0, "another segment stands under this name", false);
  }

  #read(offset: number, length: number): RowBlock | null {
    const file = this.#file ?? this.#open();
    if (file === null) return null;
    const bytes = new Uint8Array(length);
    const read = file.readNow(offset, bytes);
    if (read instanceof DiskError) this.#found(offset, `read: ${read.code}`, true);
    else if (read < length) {
      this.#found(offset + read, "the file ends within its length in force", false);
    }
    if (this.finding !== null) return null;
    if (offset + length > this.#crcTo) {
      this.#crc = crc32c(bytes, this.#crcTo - offset, length, this.#crc);
      this.#crcTo = offset + length;
    }
    return new RowBlock(bytes);
  }

  #open(): DiskFile | null {
    const opened = this.#disk.openNow(this.#path, false);
    if (!(opened instanceof DiskError)) return (this.#file = opened);
    this.#isRefused = isRefused(opened);
    if (!this.#isRefused) {
      this.#found(0, `cannot be opened: ${opened.code}`, opened.code === "EIO");
    }
    return null;
  }

  #found(offset: number, what: string, unreadable: boolean): void {
    this.finding ??= { part: "rows", path: this.#path, offset, what, unreadable };
  }
}
