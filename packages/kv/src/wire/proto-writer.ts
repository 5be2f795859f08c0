// Writes protobuf into one growing buffer, proto3 style: a field with its zero value is left out.
// Nested messages are written in place, their length put in when they end. Reused from message to
// message; knows no message by name.
import { assert } from "@quorate/base";

const START_BYTES = 1024;
/** A buffer that one huge answer made larger than this is not kept. */
const KEEP_BYTES_MAX = 1 << 20;
const TWO_POW_28 = 268435456;
const TWO_POW_32 = 4294967296;

export class ProtoWriter {
  #buffer: Uint8Array;
  #length: number;

  constructor() {
    this.#buffer = new Uint8Array(START_BYTES);
    this.#length = 0;
  }

  get length(): number {
    return this.#length;
  }

  /** Forgets what was written. */
  reset(): void {
    this.#length = 0;
    if (this.#buffer.length > KEEP_BYTES_MAX) this.#buffer = new Uint8Array(START_BYTES);
  }

  /** A copy of what was written. */
  take(): Uint8Array {
    return this.#buffer.slice(0, this.#length);
  }

  copyTo(target: Uint8Array, at: number): void {
    target.set(this.#buffer.subarray(0, this.#length), at);
  }

  /** Field of a non-negative number below 2^53. */
  uint(tag: number, value: number): void {
    if (value === 0) return;
    this.#reserve(13);
    this.#tag(tag);
    this.#varint(value);
  }

  /** Field of a safe integer; a negative one takes ten bytes, as protobuf has it. */
  int64(tag: number, value: number): void {
    if (value >= 0) {
      this.uint(tag, value);
      return;
    }
    assert(Number.isSafeInteger(value), "ProtoWriter.int64: not a safe integer");
    const low = value >>> 0;
    this.int64Halves(tag, Math.floor((value - low) / TWO_POW_32) >>> 0, low);
  }

  /** Field of a 64-bit value given as two unsigned halves. */
  int64Halves(tag: number, high: number, low: number): void {
    if ((high | low) === 0) return;
    this.#reserve(15);
    this.#tag(tag);
    let restLow = low;
    let restHigh = high;
    while (restHigh !== 0 || restLow >= 0x80) {
      this.#buffer[this.#length++] = 0x80 | (restLow & 0x7f);
      restLow = ((restLow >>> 7) | (restHigh << 25)) >>> 0;
      restHigh >>>= 7;
    }
    this.#buffer[this.#length++] = restLow;
  }

  bool(tag: number, value: boolean): void {
    if (!value) return;
    this.#reserve(6);
    this.#tag(tag);
    this.#buffer[this.#length++] = 1;
  }

  bytes(tag: number, value: Uint8Array): void {
    if (value.length > 0) this.presentBytes(tag, value);
  }

  /** Bytes inside a oneof: written when empty too. */
  presentBytes(tag: number, value: Uint8Array): void {
    this.#reserve(value.length + 10);
    this.#tag(tag);
    this.#varint(value.length);
    this.#buffer.set(value, this.#length);
    this.#length += value.length;
  }

  /** A number inside a oneof: written when zero too. */
  presentInt64(tag: number, value: number): void {
    if (value !== 0) {
      this.int64(tag, value);
      return;
    }
    this.#reserve(6);
    this.#tag(tag);
    this.#buffer[this.#length++] = 0;
  }

  /** Fields encoded before. */
  raw(value: Uint8Array): void {
    this.#reserve(value.length);
    this.#buffer.set(value, this.#length);
    this.#length += value.length;
  }

  /** Begins a nested message; its fields follow; then `end` with what this gave. */
  begin(tag: number): number {
    this.#reserve(6);
    this.#tag(tag);
    return ++this.#length;
  }

  /** `start` is what `begin` gave. One byte was kept for the length: a longer one moves the rest. */
  end(start: number): void {
    const size = this.#length - start;
    if (size < 0x80) {
      this.#buffer[start - 1] = size;
      return;
    }
    const more = varintBytes(size) - 1;
    this.#reserve(more);
    this.#buffer.copyWithin(start + more, start, this.#length);
    const end = this.#length + more;
    this.#length = start - 1;
    this.#varint(size);
    this.#length = end;
  }

  #tag(tag: number): void {
    if (tag < 0x80) this.#buffer[this.#length++] = tag;
    else this.#varint(tag);
  }

  #varint(value: number): void {
    let rest = value;
    // Above 2^31 bit operations would cut the number: four groups go by division first.
    if (rest >= TWO_POW_28) {
      const low = rest % TWO_POW_28;
      for (let shift = 0; shift < 28; shift += 7) {
        this.#buffer[this.#length++] = 0x80 | ((low >>> shift) & 0x7f);
      }
      rest = Math.floor(rest / TWO_POW_28);
    }
    while (rest >= 0x80) {
      this.#buffer[this.#length++] = 0x80 | (rest & 0x7f);
      rest = rest >= TWO_POW_28 ? Math.floor(rest / 128) : rest >>> 7;
    }
    this.#buffer[this.#length++] = rest;
  }

  #reserve(count: number): void {
    const need = this.#length + count;
    if (need <= this.#buffer.length) return;
    const grown = new Uint8Array(Math.max(need, 2 * this.#buffer.length));
    grown.set(this.#buffer.subarray(0, this.#length));
    this.#buffer = grown;
  }
}

/** Bytes of a varint below 2^32. */
function varintBytes(value: number): number {
  if (value < 0x80) return 1;
  if (value < 0x4000) return 2;
  if (value < 0x200000) return 3;
  return value < 0x10000000 ? 4 : 5;
}
