// Reads what ByteWriter wrote, from bytes that may be cut, damaged or hostile. Never throws on
// them: the first read that does not fit turns `ok` false for good, and reads then give 0 or
// nothing. Decode all fields, then look at `ok` once.
import { assert } from "./assert.ts";
import { emptyBytes, readU16, readU32 } from "./bytes.ts";
import { utf8Decode } from "./utf8.ts";

const TWO_POW_32 = 4294967296;
const TWO_POW_28 = 268435456;
/** Above it the high half of a u64 makes a number of 2^53 or more. */
const HIGH_HALF_MAX = 0x1fffff;
/** Eight groups of seven bits hold every number below 2^53. */
const VARINT_BYTES_MAX = 8;

export class ByteReader {
  readonly #bytes: Uint8Array;
  readonly #to: number;
  #at: number;
  #ok: boolean;

  constructor(bytes: Uint8Array, from: number = 0, to: number = bytes.length) {
    assert(from >= 0 && from <= to && to <= bytes.length, "ByteReader: range outside the bytes");
    this.#bytes = bytes;
    this.#to = to;
    this.#at = from;
    this.#ok = true;
  }

  /** False from the first read that did not fit on. */
  get ok(): boolean {
    return this.#ok;
  }

  /** Nothing left to read: at the end, or failed. So `while (!reader.done)` always ends. */
  get done(): boolean {
    return !this.#ok || this.#at === this.#to;
  }

  /** Bytes left; 0 after a failure. */
  get remaining(): number {
    return this.#ok ? this.#to - this.#at : 0;
  }

  /** Offset in the given bytes; after a failure, of the read that failed. */
  get position(): number {
    return this.#at;
  }

  /** For a caller that finds a value impossible: the same as a read that did not fit. */
  fail(): void {
    this.#ok = false;
  }

  u8(): number {
    return this.#has(1) ? this.#bytes[this.#at++]! : 0;
  }

  u16(): number {
    if (!this.#has(2)) return 0;
    const value = readU16(this.#bytes, this.#at);
    this.#at += 2;
    return value;
  }

  u32(): number {
    if (!this.#has(4)) return 0;
    const value = readU32(this.#bytes, this.#at);
    this.#at += 4;
    return value;
  }

  /** A value of 2^53 or above fails. */
  u64(): number {
    if (!this.#has(8)) return 0;
    const high = readU32(this.#bytes, this.#at + 4);
    if (high > HIGH_HALF_MAX) {
      this.#ok = false;
      return 0;
    }
    const value = high * TWO_POW_32 + readU32(this.#bytes, this.#at);
    this.#at += 8;
    return value;
  }

  /**
   * LEB128 in its shortest form, below 2^53; anything else fails, so that one value has one
   * encoding. Not for protobuf, whose varints may be longer.
   */
  varint(): number {
    if (!this.#ok) return 0;
    let low = 0;
    let high = 0;
    for (let i = 0; i < VARINT_BYTES_MAX && this.#at + i < this.#to; i++) {
      const byte = this.#bytes[this.#at + i]!;
      if (i < 4) low |= (byte & 0x7f) << (7 * i);
      else high |= (byte & 0x7f) << (7 * (i - 4));
      if (byte < 0x80) {
        const value = high * TWO_POW_28 + low;
        if ((byte === 0 && i > 0) || !Number.isSafeInteger(value)) break;
        this.#at += i + 1;
        return value;
      }
    }
    this.#ok = false;
    return 0;
  }

  /** A view of the next `length` bytes, not a copy. */
  bytes(length: number): Uint8Array {
    if (!this.#has(length)) return emptyBytes;
    const value = this.#bytes.subarray(this.#at, this.#at + length);
    this.#at += length;
    return value;
  }

  /** Varint length, then a view of as many bytes. */
  lengthBytes(): Uint8Array {
    const start = this.#at;
    const value = this.bytes(this.varint());
    if (!this.#ok) this.#at = start;
    return value;
  }

  /** UTF-8 behind its varint length; malformed sequences become U+FFFD. */
  text(): string {
    const bytes = this.lengthBytes();
    return bytes.length === 0 ? "" : utf8Decode(bytes);
  }

  skip(length: number): void {
    if (this.#has(length)) this.#at += length;
  }

  #has(length: number): boolean {
    if (this.#ok && length >= 0 && this.#to - this.#at >= length) return true;
    this.#ok = false;
    return false;
  }
}
