// One row segment in memory: where its rows stand, which are dead, and the rows behind its saved
// part, encoded as they will be in the file. Offsets are final from the append on: a checkpoint only
// pads and writes what is here. It does no I/O.
import { assert } from "@quorate/base";
import type { Row } from "@quorate/kv";
import { padded, writeBytesMax } from "../medium.ts";
import type { RowSegmentEntry } from "../manifest/manifest-api.ts";
import { DeadRows } from "./dead-rows.ts";
import { decodeRow, encodedRowBytes, encodeRow, RowBlock, seedOf } from "./row-codec.ts";
import { RowPlaces } from "./row-places.ts";
import { encodeSegmentHeader, SegmentHeader, segmentHeaderBytes } from "./segment-header.ts";

/** Chunks double from here up to a write's size, so that a small checkpoint stays small. */
const chunkBytesMin = 16_384;
/** Offsets are u32. */
export const segmentBytesLimit: number = 2 ** 32;

/** Encoded rows that no checkpoint in force holds; a row never crosses chunks. */
export class RowChunk {
  /** In the segment. */
  readonly offset: number;
  readonly block: RowBlock;
  used: number;

  constructor(offset: number, capacity: number) {
    this.offset = offset;
    this.block = new RowBlock(new Uint8Array(capacity));
    this.used = 0;
  }
}

export class RowSegment {
  readonly name: string;
  readonly nonce: number;
  readonly seed: number;
  readonly originRaftId: number;
  readonly firstMain: number;
  /** Main of its last row. */
  lastMain: number;
  readonly places: RowPlaces;
  readonly dead: DeadRows;
  /** Takes no more rows. */
  sealed: boolean;
  /** The manifest in force says so too. */
  sealedInForce: boolean;
  /** Length with everything in memory. */
  bytes: number;
  /** Of it the rows, without header and padding. */
  rowBytes: number;
  /** End of the last row that `places` knows. */
  #rowsEnd: number;
  /** Length in force: in the file, synced, named by the manifest. Invariant: ≤ bytes, padded. */
  savedBytes: number;
  /** CRC32C over the first `savedBytes`. */
  crc: number;
  /** From `savedBytes` to `bytes`, without gaps. */
  #chunks: RowChunk[];
  /** Chunks that begin below it were handed out by `cut` and take no more rows. */
  #cutBytes: number;

  constructor(
    name: string,
    nonce: number,
    originRaftId: number,
    firstMain: number,
    firstRef: number,
  ) {
    this.name = name;
    this.nonce = nonce;
    this.seed = seedOf(nonce);
    this.originRaftId = originRaftId;
    this.firstMain = firstMain;
    this.lastMain = firstMain;
    this.places = new RowPlaces(firstRef);
    this.dead = new DeadRows();
    this.sealed = false;
    this.sealedInForce = false;
    this.bytes = 0;
    this.rowBytes = 0;
    this.#rowsEnd = 0;
    this.savedBytes = 0;
    this.crc = 0;
    this.#chunks = [];
    this.#cutBytes = 0;
  }

  /** A segment that the manifest names; its places come from the scan. */
  static named(entry: RowSegmentEntry, firstRef: number): RowSegment {
    const { name, nonce, originRaftId, firstMain } = entry;
    const segment = new RowSegment(name, nonce, originRaftId, firstMain, firstRef);
    segment.sealed = entry.sealed;
    segment.sealedInForce = entry.sealed;
    segment.bytes = entry.bytes;
    segment.savedBytes = entry.bytes;
    segment.crc = entry.crc;
    return segment;
  }

  entry(): RowSegmentEntry {
    return {
      name: this.name,
      nonce: this.nonce,
      originRaftId: this.originRaftId,
      bytes: this.savedBytes,
      crc: this.crc,
      sealed: this.sealedInForce,
      firstMain: this.firstMain,
    };
  }

  begin(clusterId: string): void {
    assert(this.bytes === 0, "a segment begins once");
    const header = new SegmentHeader(clusterId, this.originRaftId, this.nonce, this.firstMain);
    const chunk = this.#room(segmentHeaderBytes);
    encodeSegmentHeader(header, chunk.block.bytes);
    chunk.used = segmentHeaderBytes;
    this.bytes = segmentHeaderBytes;
  }

  /** The bytes it takes. */
  append(row: Row): number {
    assert(!this.sealed, "a sealed segment takes no rows");
    const length = encodedRowBytes(row);
    assert(this.bytes + length < segmentBytesLimit, "a segment offset fits in 32 bits");
    const chunk = this.#room(length);
    encodeRow(chunk.block, chunk.used, row, this.seed, this.bytes);
    chunk.used += length;
    this.took(this.bytes, length, row.main);
    this.bytes += length;
    return length;
  }

  /** A row stands at `offset`, behind all others: appended, or found by the scan. */
  took(offset: number, length: number, main: number): void {
    this.places.push(offset);
    this.#took(offset, length, main);
  }

  /** As `took`, of a rewritten segment, in which refs are missing. */
  tookSparse(ref: number, offset: number, length: number, main: number): void {
    this.places.pushSparse(ref, offset);
    this.#took(offset, length, main);
  }

  #took(offset: number, length: number, main: number): void {
    this.rowBytes += length;
    this.#rowsEnd = offset + length;
    this.lastMain = main;
  }

  /**
   * Pads to 4 KiB; rows appended later start there, in a chunk of their own. The bytes from
   * `savedBytes` on, for the checkpoint to write: they do not change any more.
   */
  cut(): RowChunk[] {
    const last = this.#chunks.at(-1);
    if (last !== undefined) {
      const end = padded(this.bytes);
      const padding = end - this.bytes;
      if (last.used + padding > last.block.bytes.length) {
        // A chunk of zeros for the rest; `used` says how much of it counts.
        const rest = new RowChunk(this.bytes, padding);
        rest.used = padding;
        this.#chunks.push(rest);
      } else {
        last.used += padding;
      }
      this.bytes = end;
    }
    this.#cutBytes = this.bytes;
    return this.#chunks.slice();
  }

  /** The first `length` bytes are in force now: they are read from the file from now on. */
  saved(length: number, crc: number): void {
    assert(length >= this.savedBytes && length <= this.bytes, "what is saved was appended before");
    this.#chunks = this.#chunks.filter((chunk) => chunk.offset >= length);
    this.savedBytes = length;
    this.crc = crc;
  }

  get unsavedBytes(): number {
    return this.bytes - this.savedBytes;
  }

  /** The row's length, and padding up to the next row if there is any. */
  boundAt(position: number): number {
    const { places } = this;
    const offset = places.offsetAt(position);
    const end = position + 1 < places.count ? places.offsetAt(position + 1) : this.#rowsEnd;
    return (offset < this.savedBytes && end > this.savedBytes ? this.savedBytes : end) - offset;
  }

  /** The row if it stands in memory. */
  unsavedRowAt(position: number): Row | null {
    const offset = this.places.offsetAt(position);
    if (offset < this.savedBytes) return null;
    const chunk = this.#chunkOf(offset);
    return decodeRow(chunk.block, offset - chunk.offset);
  }

  #chunkOf(offset: number): RowChunk {
    let low = 0;
    let high = this.#chunks.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if (this.#chunks[middle]!.offset <= offset) low = middle;
      else high = middle - 1;
    }
    return this.#chunks[low]!;
  }

  #room(length: number): RowChunk {
    const last = this.#chunks.at(-1);
    const fits = last !== undefined && last.used + length <= last.block.bytes.length;
    if (fits && last.offset >= this.#cutBytes) return last;
    const wanted = last === undefined ? chunkBytesMin : 2 * last.block.bytes.length;
    const capacity = Math.max(length, Math.min(wanted, writeBytesMax));
    const chunk = new RowChunk(this.bytes, capacity);
    this.#chunks.push(chunk);
    return chunk;
  }
}
