// Follows the write-ahead log of one running member on the medium, behind its back: gives every
// batch as soon as all of it would survive a power loss. Only what recovery would take counts: the
// next number, chained to the batch before, in its place, with records that check.
import { must } from "@quorate/base";
import {
  batchBytes,
  type BatchHeader,
  batchHeaderBytes,
  blockBytes,
  decodePayload,
  firstBatchOffset,
  nonceSeed,
  parseBatchHeader,
  parseSegmentHeader,
  payloadChecks,
  segmentId,
  segmentName,
  type WalIdentity,
} from "@quorate/storage/internal";
import { isZero } from "../disk/byte-image.ts";
import { isIn, nameOf } from "../disk/path.ts";
import type { SimFile } from "../disk/sim-file.ts";
import type { SimDisk } from "../sim-disk.ts";
import type { DurableBatch } from "./durable-log.ts";

interface DurableSegment {
  readonly id: number;
  readonly file: SimFile;
  readonly nonce: number;
  readonly seed: number;
  readonly bytes: number;
}

export class LogReader {
  readonly #disk: SimDisk;
  readonly #directory: string;
  readonly #identity: WalIdentity;
  readonly #head: Uint8Array;
  readonly #block: Uint8Array;
  #segment: DurableSegment | null;
  /** The one behind it; null: not seen yet. */
  #following: DurableSegment | null;
  /** Where the next batch would start in #segment. */
  #offset: number;
  /** What came next is gone already: it was filled and dropped between two looks. */
  lost: boolean;
  /** Ids of the segments that have names, ascending, as of this change of names on the disk. */
  #names: readonly number[];
  #namesAt: number;
  /** Of the batch before; 0: none. */
  #seq: number;
  #crc: number;

  private constructor(disk: SimDisk, directory: string, identity: WalIdentity) {
    this.#disk = disk;
    this.#directory = directory;
    this.#identity = identity;
    this.#head = new Uint8Array(batchHeaderBytes);
    this.#block = new Uint8Array(blockBytes);
    this.#segment = null;
    this.#following = null;
    this.#offset = firstBatchOffset;
    this.lost = false;
    this.#names = [];
    this.#namesAt = -1;
    this.#seq = 0;
    this.#crc = 0;
  }

  /** Begins behind everything that is durable now. */
  static behindAll(disk: SimDisk, directory: string, identity: WalIdentity): LogReader {
    const reader = new LogReader(disk, directory, identity);
    reader.#skipAll();
    return reader;
  }

  /** Begins with the first batch of a segment. */
  static from(disk: SimDisk, directory: string, identity: WalIdentity, id: number): LogReader {
    const reader = new LogReader(disk, directory, identity);
    reader.#following = reader.#open(id);
    return reader;
  }

  /** The next batch; null: nothing more is durable. */
  next(): DurableBatch | null {
    const header = this.#nextHeader();
    if (header === null) return null;
    const { file, seed } = this.#segment!;
    const bytes = new Uint8Array(header.payloadBytes);
    const read = file.readSynced(this.#offset + batchHeaderBytes, bytes);
    if (read < bytes.length || !payloadChecks(header, bytes, seed)) return null;
    const payload = must(decodePayload(header, bytes), "a batch that checks can be read");
    this.#pass(header);
    return { header, payload };
  }

  #skipAll(): void {
    for (const id of this.#ids()) {
      const segment = this.#open(id);
      if (segment === null || this.#headerAt(segment, firstBatchOffset, false) === null) continue;
      this.#segment = segment;
      this.#offset = firstBatchOffset;
      this.#skipSegment(segment);
    }
  }

  /** Also over a batch in whose place something else stands: what follows it was written all the same. */
  #skipSegment(segment: DurableSegment): void {
    let offset = firstBatchOffset;
    while (offset < segment.bytes) {
      const header = this.#headerAt(segment, offset, false);
      if (header === null || (offset > firstBatchOffset && header.seq <= this.#seq)) {
        offset += blockBytes;
        continue;
      }
      this.#offset = offset;
      this.#pass(header);
      offset = this.#offset;
    }
  }

  #ids(): number[] {
    return this.#disk
      .filesBelow(this.#directory)
      .filter((path) => isIn(this.#directory, path))
      .map((path) => segmentId(nameOf(path)))
      .filter((id) => id > 0)
      .sort((a, b) => a - b);
  }

  /** Segments are made and dropped in the order of their ids: later ones are there, and this is not. */
  #isGone(id: number): boolean {
    const { newestChange } = this.#disk;
    if (newestChange !== this.#namesAt) {
      this.#names = this.#ids();
      this.#namesAt = newestChange;
    }
    return this.#names.length > 0 && this.#names.at(-1)! > id && !this.#names.includes(id);
  }

  #pass(header: BatchHeader): void {
    this.#offset += batchBytes(header);
    this.#seq = header.seq;
    this.#crc = header.crc;
  }

  /** Moves on to the next segment when the next batch stands there. */
  #nextHeader(): BatchHeader | null {
    const segment = this.#segment;
    if (segment !== null) {
      const header = this.#headerAt(segment, this.#offset, true);
      if (header !== null) return header;
    }
    this.#following ??= this.#open((segment?.id ?? 0) + 1);
    if (this.#following === null) {
      this.lost = segment !== null && this.#isGone(segment.id + 1);
      return null;
    }
    const header = this.#headerAt(this.#following, firstBatchOffset, this.#seq > 0);
    if (header === null) {
      // It may yet be made anew before its first batch.
      this.#following = null;
      return null;
    }
    this.#segment = this.#following;
    this.#following = null;
    this.#offset = firstBatchOffset;
    return header;
  }

  #headerAt(segment: DurableSegment, offset: number, chained: boolean): BatchHeader | null {
    const head = this.#head;
    if (segment.file.readSynced(offset, head) < head.length) return null;
    const place = { nonce: segment.nonce, offset, segmentBytes: segment.bytes };
    const parsed = parseBatchHeader(head, 0, this.#identity, place);
    if (parsed.found !== "header") return null;
    const { header } = parsed;
    if (!chained) return header;
    return header.seq === this.#seq + 1 && header.prevChainCrc === this.#crc ? header : null;
  }

  #open(id: number): DurableSegment | null {
    const file = this.#disk.durableFileAt(`${this.#directory}/${segmentName(id)}`);
    if (file === null) return null;
    // Most looks find a segment that is prepared and not used yet: that costs no more than this.
    if (file.readSynced(firstBatchOffset, this.#head) < this.#head.length) return null;
    if (isZero(this.#head)) return null;
    const block = this.#block;
    if (file.readSynced(0, block) < block.length) return null;
    const parsed = parseSegmentHeader(block, this.#identity);
    if (parsed.found !== "header" || parsed.header.id !== id) return null;
    const { nonce, segmentBytes } = parsed.header;
    return { id, file, nonce, seed: nonceSeed(nonce), bytes: segmentBytes };
  }
}
