// Finds the batches of one segment by looking at every block that may start one: after a good batch
// the next block, after anything else block by block (§3.3). Unreadable blocks count as bad bytes
// (row 16). Works in steps, so that no call reads more than a few MiB, and judges nothing.
import { DiskError } from "../env.ts";
import type { DiskFile } from "../env.ts";
import { batchBytes, parseBatchHeader } from "./batch-header.ts";
import type { BatchHeader, WalIdentity } from "./batch-header.ts";
import { payloadChecks } from "./batch-payload.ts";
import { batchHeaderBytes, blockBytes, firstBatchOffset, nonceSeed } from "./wal-format.ts";

const windowBytes = 1_048_576;
const stepBytes = 4_194_304;

/** For scans of segments of at most this size, one after the other. */
export function scanWindow(segmentBytesMax: number): Uint8Array {
  return new Uint8Array(Math.min(windowBytes, Math.max(segmentBytesMax, blockBytes)));
}

export interface ScanSink {
  /** `payload` null: the header checks, its records do not. The bytes are the sink's to keep. */
  batch(header: BatchHeader, payload: Uint8Array | null): void;
  /** A batch that checks by its own word, and belongs elsewhere. */
  foreign(header: BatchHeader, offset: number): void;
  newer(format: number, offset: number): void;
}

export class SegmentScan {
  #file: DiskFile;
  #nonce: number;
  #seed: number;
  #bytes: number;
  #identity: WalIdentity;
  #sink: ScanSink;
  #offset: number;
  #window: Uint8Array;
  #windowAt: number;
  #windowLength: number;
  #unreadableBlocks: number;

  /** `bytes`: how much of the file to look at. `window`: the scan's until it ends (scanWindow). */
  constructor(
    file: DiskFile,
    nonce: number,
    bytes: number,
    identity: WalIdentity,
    window: Uint8Array,
    sink: ScanSink,
  ) {
    this.#file = file;
    this.#nonce = nonce;
    this.#seed = nonceSeed(nonce);
    this.#bytes = bytes;
    this.#identity = identity;
    this.#sink = sink;
    this.#offset = firstBatchOffset;
    this.#window = window.subarray(0, Math.min(window.length, Math.max(bytes, blockBytes)));
    this.#windowAt = 0;
    this.#windowLength = 0;
    this.#unreadableBlocks = 0;
  }

  get unreadableBlocks(): number {
    return this.#unreadableBlocks;
  }

  /** Where it will go on. */
  get offset(): number {
    return this.#offset;
  }

  /** True when the whole segment has been looked at. */
  step(bytesMax: number = stepBytes): boolean {
    const until = this.#offset + bytesMax;
    while (this.#offset < until) {
      if (this.#offset + batchHeaderBytes > this.#bytes) return true;
      this.#offset += this.#look();
    }
    return false;
  }

  /** Looks at the block at the offset; how far to go on. */
  #look(): number {
    const offset = this.#offset;
    this.#load(offset);
    const place = { nonce: this.#nonce, offset, segmentBytes: this.#bytes };
    const parsed = parseBatchHeader(this.#window, offset - this.#windowAt, this.#identity, place);
    switch (parsed.found) {
      case "none":
        return blockBytes;
      case "foreign":
        this.#sink.foreign(parsed.header, offset);
        return blockBytes;
      case "newer":
        this.#sink.newer(parsed.format, offset);
        return blockBytes;
      case "header": {
        const { header } = parsed;
        const payload = this.#read(offset + batchHeaderBytes, header.payloadBytes);
        const good = payload !== null && payloadChecks(header, payload, this.#seed);
        this.#sink.batch(header, good ? payload : null);
        return good ? batchBytes(header) : blockBytes;
      }
    }
  }

  /** Makes the window hold the block at `offset`. */
  #load(offset: number): void {
    const inside =
      offset >= this.#windowAt && offset + blockBytes <= this.#windowAt + this.#windowLength;
    if (inside) return;
    this.#windowAt = offset;
    const read = this.#file.readNow(offset, this.#window);
    if (!(read instanceof DiskError)) {
      this.#windowLength = this.#window.length;
      this.#window.fill(0, read);
      return;
    }
    // One bad block must not hide the good ones around it.
    this.#windowLength = blockBytes;
    const block = this.#window.subarray(0, blockBytes);
    const single = this.#file.readNow(offset, block);
    if (single instanceof DiskError) this.#unreadableBlocks++;
    block.fill(0, single instanceof DiskError ? 0 : single);
  }

  /** A copy that outlives the window; null when it cannot be read. */
  #read(from: number, length: number): Uint8Array | null {
    const at = from - this.#windowAt;
    if (at >= 0 && at + length <= this.#windowLength) return this.#window.slice(at, at + length);
    const bytes = new Uint8Array(length);
    const read = this.#file.readNow(from, bytes);
    return read instanceof DiskError || read < length ? null : bytes;
  }
}
