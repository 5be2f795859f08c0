// Builds the binary formats of Quorate in one growing buffer: little-endian integers, LEB128
// varints, raw and length-prefixed bytes. Its twin is ByteReader. Values out of range are bugs of
// the caller and assert.
import { assert } from "./assert.ts";
import { writeU16, writeU32, writeU64 } from "./bytes.ts";
import { crc32c } from "./crc32c.ts";
import { utf8Encode } from "./utf8.ts";

const START_BYTES = 256;
const TWO_POW_28 = 268435456;

export class ByteWriter {
  #buffer: Uint8Array;
  #length: number;

  constructor(startBytes: number = START_BYTES) {
    assert(startBytes > 0, "ByteWriter: the start size must be positive");
    this.#buffer = new Uint8Array(startBytes);
    this.#length = 0;
  }

  get length(): number {
    return this.#length;
  }

  u8(value: number): void {
    assert((value & 0xff) === value, "ByteWriter.u8: not a u8");
    this.#reserve(1);
    this.#buffer[this.#length++] = value;
  }

  u16(value: number): void {
    this.#reserve(2);
    writeU16(this.#buffer, this.#length, value);
    this.#length += 2;
  }

  u32(value: number): void {
    this.#reserve(4);
    writeU32(this.#buffer, this.#length, value);
    this.#length += 4;
  }

  /** Eight bytes; the value stays below 2^53. */
  u64(value: number): void {
    this.#reserve(8);
    writeU64(this.#buffer, this.#length, value);
    this.#length += 8;
  }

  /** LEB128 of an integer below 2^53: 1 to 8 bytes, always the shortest form. */
  varint(value: number): void {
    assert(Number.isSafeInteger(value) && value >= 0, "ByteWriter.varint: not in [0, 2^53)");
    this.#reserve(8);
    let rest = value;
    // Above 2^31 bit operations would cut the number: four groups go by division first.
    if (rest >= TWO_POW_28) {
      const low = rest % TWO_POW_28;
      this.#group(low);
      this.#group(low >>> 7);
      this.#group(low >>> 14);
      this.#group(low >>> 21);
      rest = Math.floor(rest / TWO_POW_28);
    }
    while (rest >= 0x80) {
      this.#group(rest);
      rest >>>= 7;
    }
    this.#buffer[this.#length++] = rest;
  }

  /** As they are, without their length. */
  bytes(value: Uint8Array): void {
    this.#reserve(value.length);
    this.#buffer.set(value, this.#length);
    this.#length += value.length;
  }

  /** Varint length, then the bytes. */
  lengthBytes(value: Uint8Array): void {
    this.varint(value.length);
    this.bytes(value);
  }

  /** UTF-8, as `lengthBytes`. */
  text(value: string): void {
    this.lengthBytes(utf8Encode(value));
  }

  /** Zeros up to the next multiple of `multiple`, counted from the writer's start. */
  pad(multiple: number): void {
    assert(Number.isInteger(multiple) && multiple > 0, "ByteWriter.pad: not a positive integer");
    const count = (multiple - (this.#length % multiple)) % multiple;
    this.#reserve(count);
    this.#buffer.fill(0, this.#length, this.#length + count);
    this.#length += count;
  }

  /** Puts a u32 over four bytes written before: lengths and checksums that come late. */
  patchU32(at: number, value: number): void {
    assert(at >= 0 && at + 4 <= this.#length, "ByteWriter.patchU32: outside what was written");
    writeU32(this.#buffer, at, value);
  }

  /** Forgets what was written and keeps the memory. Earlier views become invalid. */
  reset(): void {
    this.#length = 0;
  }

  /** A copy of what was written. The writer keeps it until `reset`. */
  take(): Uint8Array {
    return this.#buffer.slice(0, this.#length);
  }

  /** What was written, without a copy: valid until the next write or reset. */
  view(): Uint8Array {
    // A view of a small array costs more than filling it: whoever knows the size starts with it.
    if (this.#length === this.#buffer.length) return this.#buffer;
    return this.#buffer.subarray(0, this.#length);
  }

  /** CRC-32C of what was written from there on, up to there. */
  checksum(from: number, to: number = this.#length): number {
    assert(to <= this.#length, "ByteWriter.checksum: outside what was written");
    return crc32c(this.#buffer, from, to);
  }

  #group(value: number): void {
    this.#buffer[this.#length++] = 0x80 | (value & 0x7f);
  }

  #reserve(count: number): void {
    const need = this.#length + count;
    if (need <= this.#buffer.length) return;
    const grown = new Uint8Array(Math.max(need, 2 * this.#buffer.length));
    grown.set(this.view());
    this.#buffer = grown;
  }
}
