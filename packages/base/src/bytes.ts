// Byte strings: order, equality, joining, hex and latin1 forms, little-endian integers.
// Byte strings are `Uint8Array` and compare as unsigned bytes, never by locale. Nothing here keeps
// state or knows a format; UTF-8 is in utf8.ts.
import { assert } from "./assert.ts";

export const emptyBytes: Uint8Array = new Uint8Array(0);

/** 2^53: integers from here on are not exact as numbers. */
const EXACT_LIMIT = 9007199254740992;
const TWO_POW_32 = 4294967296;

/** Below 0, 0, above 0: as memcmp, and a proper prefix comes first. */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const shared = a.length < b.length ? a.length : b.length;
  for (let i = 0; i < shared; i++) {
    const difference = a[i]! - b[i]!;
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}

export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) {
    if (a[i] !== b[i]) return false;
  }
  return true;
}

/** Always a fresh array, of one part too: the result never shares memory with a part. */
export function concatBytes(parts: readonly Uint8Array[]): Uint8Array {
  let length = 0;
  for (const part of parts) length += part.length;
  const joined = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}

const HEX_DIGITS = "0123456789abcdef";

export function toHex(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += HEX_DIGITS[byte >> 4]! + HEX_DIGITS[byte & 15]!;
  return text;
}

/** Null when the text is not an even number of hex digits, of either case. */
export function fromHex(text: string): Uint8Array | null {
  if (text.length % 2 !== 0) return null;
  const bytes = new Uint8Array(text.length / 2);
  for (let i = 0; i < bytes.length; i++) {
    const high = hexDigit(text.charCodeAt(2 * i));
    const low = hexDigit(text.charCodeAt(2 * i + 1));
    if (high < 0 || low < 0) return null;
    bytes[i] = high * 16 + low;
  }
  return bytes;
}

function hexDigit(code: number): number {
  if (code >= 48 && code <= 57) return code - 48;
  const lower = code | 32;
  return lower >= 97 && lower <= 102 ? lower - 87 : -1;
}

/** One byte per char; the text must be latin1 (every char at most U+00FF). */
export function latin1Encode(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    assert(code <= 0xff, "latin1Encode: a char above U+00FF");
    bytes[i] = code;
  }
  return bytes;
}

/** `String.fromCharCode` takes its arguments on the stack, so long texts go in pieces. */
const LATIN1_PIECE_CHARS = 4096;

/**
 * One char per byte: the order of such strings under `<` is the order of the bytes. The strings
 * are flat, not ropes, so a map hashes them without copying first.
 */
export function latin1Decode(
  bytes: Uint8Array,
  from: number = 0,
  to: number = bytes.length,
): string {
  assert(from >= 0 && from <= to && to <= bytes.length, "latin1Decode: range outside the bytes");
  if (to - from <= LATIN1_PIECE_CHARS) return latin1Piece(bytes, from, to);
  let text = "";
  for (let at = from; at < to; at += LATIN1_PIECE_CHARS) {
    text += latin1Piece(bytes, at, Math.min(at + LATIN1_PIECE_CHARS, to));
  }
  return text;
}

/** The chars of the last piece: keys of one length after another need no new array. */
const pieceChars: number[] = [];

// From a plain array, not from a view of the bytes: 40 ns against 140 for a short key.
function latin1Piece(bytes: Uint8Array, from: number, to: number): string {
  const length = to - from;
  if (pieceChars.length !== length) pieceChars.length = length;
  for (let i = 0; i < length; i++) pieceChars[i] = bytes[from + i]!;
  return String.fromCharCode.apply(null, pieceChars);
}

export function readU16(b: Uint8Array, at: number): number {
  assert(at >= 0 && at + 2 <= b.length, "readU16: outside the bytes");
  return b[at]! | (b[at + 1]! << 8);
}

export function writeU16(b: Uint8Array, at: number, v: number): void {
  assert(at >= 0 && at + 2 <= b.length, "writeU16: outside the bytes");
  assert(v >= 0 && v <= 0xffff && Number.isInteger(v), "writeU16: not a u16");
  b[at] = v;
  b[at + 1] = v >>> 8;
}

export function readU32(b: Uint8Array, at: number): number {
  assert(at >= 0 && at + 4 <= b.length, "readU32: outside the bytes");
  return (b[at]! | (b[at + 1]! << 8) | (b[at + 2]! << 16) | (b[at + 3]! << 24)) >>> 0;
}

export function writeU32(b: Uint8Array, at: number, v: number): void {
  assert(at >= 0 && at + 4 <= b.length, "writeU32: outside the bytes");
  assert(v >>> 0 === v, "writeU32: not a u32");
  b[at] = v;
  b[at + 1] = v >>> 8;
  b[at + 2] = v >>> 16;
  b[at + 3] = v >>> 24;
}

/** For bytes already checked: a value of 2^53 or above is a bug here, not an outcome. */
export function readU64(b: Uint8Array, at: number): number {
  const value = readU32(b, at + 4) * TWO_POW_32 + readU32(b, at);
  assert(value < EXACT_LIMIT, "readU64: not below 2^53");
  return value;
}

export function writeU64(b: Uint8Array, at: number, v: number): void {
  assert(Number.isSafeInteger(v) && v >= 0, "writeU64: not an integer in [0, 2^53)");
  writeU32(b, at, v >>> 0);
  writeU32(b, at + 4, Math.floor(v / TWO_POW_32));
}
