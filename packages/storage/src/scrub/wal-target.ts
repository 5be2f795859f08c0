// Rereads one segment of the log that nothing more is written to, with the scan of recovery: every batch
// that stands in it must be there, whole and in order.
import { isRefused } from "../directory/access.ts";
import { DiskError } from "../env.ts";
import type { Disk, DiskFile } from "../env.ts";
import { batchBytes } from "../wal/batch-header.ts";
import type { WalIdentity } from "../wal/batch-header.ts";
import { SegmentScan, scanWindow } from "../wal/segment-scan.ts";
import type { SealedSegment } from "../wal/wal-api.ts";
import { blockBytes, firstBatchOffset } from "../wal/wal-format.ts";
import type { ScrubFinding, ScrubTarget } from "./scrub-api.ts";

const windowBytes = 65_536;

export class WalTarget implements ScrubTarget {
  readonly #disk: Pick<Disk, "openNow">;
  readonly #segment: SealedSegment;
  readonly #identity: WalIdentity;
  readonly #inForce: () => boolean;
  #file: DiskFile | null;
  #scan: SegmentScan | null;
  #nextSeq: number;
  /** Up to here every batch was whole. */
  #goodEnd: number;
  /** The system does not give the file out now, which says nothing about it: the next pass will see. */
  #isRefused: boolean;
  finding: ScrubFinding | null;

  constructor(
    disk: Pick<Disk, "openNow">,
    segment: SealedSegment,
    identity: WalIdentity,
    inForce: () => boolean,
  ) {
    this.#disk = disk;
    this.#segment = segment;
    this.#identity = identity;
    this.#inForce = inForce;
    this.#file = null;
    this.#scan = null;
    this.#nextSeq = segment.firstSeq;
    this.#goodEnd = firstBatchOffset;
    this.#isRefused = false;
    this.finding = null;
  }

  stands(): boolean {
    return !this.#isRefused && this.#inForce();
  }

  step(bytesMax: number): number {
    if (this.finding !== null || this.#isWhole()) return 0;
    const scan = this.#scan ?? this.#open();
    if (scan === null) return blockBytes;
    const { offset } = scan;
    const atEnd = scan.step(bytesMax);
    // The scan goes from batch to batch, and block by block where none is.
    if (!this.#isWhole() && (atEnd || scan.offset > this.#goodEnd)) {
      const unreadable = scan.unreadableBlocks > 0;
      const why = unreadable ? "cannot be read" : "is not there, or not whole";
      this.#found(this.#goodEnd, `batch ${this.#nextSeq} ${why}`, unreadable);
    }
    return Math.max(blockBytes, scan.offset - offset);
  }

  close(): void {
    this.#file?.close();
    this.#file = null;
  }

  /** What stands behind the last batch is nobody's. */
  #isWhole(): boolean {
    return this.#nextSeq > this.#segment.lastSeq;
  }

  #open(): SegmentScan | null {
    const { path, nonce, bytes } = this.#segment;
    const opened = this.#disk.openNow(path, false);
    if (opened instanceof DiskError) {
      this.#isRefused = isRefused(opened);
      if (this.#isRefused) return null;
      this.#found(0, `cannot be opened: ${opened.code}`, opened.code === "EIO");
      return null;
    }
    this.#file = opened;
    const window = scanWindow(Math.min(bytes, windowBytes));
    const other = (): void => undefined;
    this.#scan = new SegmentScan(opened, nonce, bytes, this.#identity, window, {
      batch: (header, payload) => {
        if (payload === null || header.seq !== this.#nextSeq) return;
        this.#nextSeq += 1;
        this.#goodEnd = header.offset + batchBytes(header);
      },
      foreign: other,
      newer: other,
    });
    return this.#scan;
  }

  #found(offset: number, what: string, unreadable: boolean): void {
    this.finding = { part: "wal", path: this.#segment.path, offset, what, unreadable };
  }
}
