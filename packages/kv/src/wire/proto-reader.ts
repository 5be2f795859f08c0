// Reads protobuf as etcd's generated code does (gogo proto, 3.4): unknown fields are skipped, the
// last of several values wins, a known field with another wire type is an error. From hostile
// bytes: never throws; the first thing that does not fit turns `ok` false for good, tags then
// read as 0 and values as 0 or nothing.
import { assert, emptyBytes } from "@quorate/base";

const TWO_POW_32 = 4294967296;
const VARINT_BYTES_MAX = 10;
/** Groups inside groups; nobody sends groups, but they must not cost a stack. */
const GROUP_DEPTH_MAX = 64;

const WireType = {
  Varint: 0,
  Fixed64: 1,
  Length: 2,
  GroupStart: 3,
  GroupEnd: 4,
  Fixed32: 5,
} as const;

export class ProtoReader {
  readonly #bytes: Uint8Array;
  #at: number;
  #end: number;
  #ok: boolean;
  /** Halves of the varint read last, unsigned. */
  #high: number;
  #low: number;

  constructor(bytes: Uint8Array, from: number = 0, to: number = bytes.length) {
    assert(from >= 0 && from <= to && to <= bytes.length, "ProtoReader: range outside the bytes");
    this.#bytes = bytes;
    this.#at = from;
    this.#end = to;
    this.#ok = true;
    this.#high = 0;
    this.#low = 0;
  }

  get ok(): boolean {
    return this.#ok;
  }

  /** Something is left of the message. */
  get more(): boolean {
    return this.#ok && this.#at < this.#end;
  }

  /** What was read is no value of its field. */
  fail(): void {
    this.#ok = false;
  }

  /** Where the next read starts, as an offset in the given bytes. */
  get position(): number {
    return this.#at;
  }

  /** The next field's tag (number × 8 + wire type); 0 at the end of the message, or failed. */
  tag(): number {
    if (!this.#ok || this.#at >= this.#end) return 0;
    const first = this.#bytes[this.#at]!;
    if (first < 0x80) {
      this.#at++;
      if (first >= 8) return first;
    } else {
      this.#varint();
      if (this.#ok && this.#high === 0 && this.#low >= 8) return this.#low;
    }
    this.#ok = false;
    return 0;
  }

  /** int64 as a number: exact below 2^53; beyond it rounded, so every comparison stays right. */
  int64(): number {
    this.#varint();
    return (this.#high | 0) * TWO_POW_32 + this.#low;
  }

  /** uint64, rounded in the same way. */
  uint64(): number {
    this.#varint();
    return this.#high * TWO_POW_32 + this.#low;
  }

  /** A 64-bit value that must stay exact: its low half; the high one is in `high`. */
  int64Low(): number {
    this.#varint();
    return this.#low;
  }

  /** High half of what `int64Low` read last, unsigned. */
  get high(): number {
    return this.#high;
  }

  /** An enum or int32: the low 32 bits, signed, as protobuf truncates. */
  int32(): number {
    this.#varint();
    return this.#low | 0;
  }

  bool(): boolean {
    this.#varint();
    return (this.#low | this.#high) !== 0;
  }

  /** A view of a length-prefixed field, not a copy. */
  bytes(): Uint8Array {
    const length = this.#length();
    if (length === 0) return emptyBytes;
    const value = this.#bytes.subarray(this.#at, this.#at + length);
    this.#at += length;
    return value;
  }

  /**
   * Goes into a length-prefixed message: reads end where it ends. Gives the outer end, to be handed
   * to `leave`.
   */
  enter(): number {
    const length = this.#length();
    const outer = this.#end;
    if (this.#ok) this.#end = this.#at + length;
    return outer;
  }

  /** Back to the outer message, behind what `enter` went into. */
  leave(outer: number): void {
    if (!this.#ok) return;
    this.#at = this.#end;
    this.#end = outer;
  }

  /** The field of `tag` is not one that the caller reads: `knownMax` is its highest known number. */
  unknown(tag: number, knownMax: number): void {
    if (tag >>> 3 <= knownMax) this.#ok = false;
    else this.skip(tag);
  }

  skip(tag: number): void {
    let depth = 0;
    let next = tag;
    do {
      switch (next & 7) {
        case WireType.Varint:
          this.#varint();
          break;
        case WireType.Fixed64:
          this.#advance(8);
          break;
        case WireType.Length:
          this.#advance(this.#length());
          break;
        case WireType.GroupStart:
          depth++;
          if (depth > GROUP_DEPTH_MAX) this.#ok = false;
          break;
        case WireType.GroupEnd:
          // One that opens nothing is an error, as an open group at the end is.
          if (depth === 0) this.#ok = false;
          depth--;
          break;
        case WireType.Fixed32:
          this.#advance(4);
          break;
        default:
          this.#ok = false;
      }
      if (!this.#ok || depth === 0) return;
      next = this.tag();
      if (next === 0) this.#ok = false;
    } while (this.#ok);
  }

  #advance(count: number): void {
    if (this.#end - this.#at >= count) this.#at += count;
    else this.#ok = false;
  }

  #length(): number {
    this.#varint();
    if (this.#ok && this.#high === 0 && this.#low <= this.#end - this.#at) return this.#low;
    this.#ok = false;
    return 0;
  }

  // Ten groups of seven bits, of which the last holds one: what it has above is dropped, as gogo
  // proto does.
  #varint(): void {
    this.#low = 0;
    this.#high = 0;
    if (!this.#ok) return;
    const bytes = this.#bytes;
    const limit = Math.min(this.#end, this.#at + VARINT_BYTES_MAX);
    let low = 0;
    let high = 0;
    let shift = 0;
    for (let at = this.#at; at < limit; at++) {
      const byte = bytes[at]!;
      const bits = byte & 0x7f;
      if (shift < 28) low |= bits << shift;
      else if (shift === 28) {
        low |= bits << 28;
        high = bits >>> 4;
      } else high |= bits << (shift - 32);
      if (byte < 0x80) {
        this.#at = at + 1;
        this.#low = low >>> 0;
        this.#high = high >>> 0;
        return;
      }
      shift += 7;
    }
    this.#ok = false;
  }
}
