// CRC-32C (Castagnoli, polynomial 0x1EDC6F41 reflected), slicing by 8: eight tables, eight bytes a
// step. The checksum of every record, row and frame. crc32c of "123456789" is 0xE3069283.
import { assert } from "./assert.ts";

const POLYNOMIAL_REFLECTED = 0x82f63b78;

// TABLES[256 * k + b]: the CRC of byte b followed by k zero bytes. One flat array of int32: V8
// keeps its elements as small integers in registers.
const TABLES: Int32Array = buildTables();

function buildTables(): Int32Array {
  const tables = new Int32Array(8 * 256);
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) {
      crc = crc & 1 ? (crc >>> 1) ^ POLYNOMIAL_REFLECTED : crc >>> 1;
    }
    tables[byte] = crc;
  }
  for (let at = 256; at < tables.length; at++) {
    const previous = tables[at - 256]!;
    tables[at] = tables[previous & 0xff]! ^ (previous >>> 8);
  }
  return tables;
}

/** Unsigned. `seed` is the CRC of what comes before: crc32c(b, …, crc32c(a)) is that of a then b. */
export function crc32c(
  bytes: Uint8Array,
  from: number = 0,
  to: number = bytes.length,
  seed: number = 0,
): number {
  assert(from >= 0 && from <= to && to <= bytes.length, "crc32c: range outside the bytes");
  const t = TABLES;
  let crc = ~seed;
  let at = from;
  for (const last = to - 8; at <= last; at += 8) {
    const low =
      crc ^ (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24));
    crc =
      t[1792 + (low & 0xff)]! ^
      t[1536 + ((low >>> 8) & 0xff)]! ^
      t[1280 + ((low >>> 16) & 0xff)]! ^
      t[1024 + (low >>> 24)]! ^
      t[768 + bytes[at + 4]!]! ^
      t[512 + bytes[at + 5]!]! ^
      t[256 + bytes[at + 6]!]! ^
      t[bytes[at + 7]!]!;
  }
  for (; at < to; at++) crc = t[(crc ^ bytes[at]!) & 0xff]! ^ (crc >>> 8);
  return ~crc >>> 0;
}
