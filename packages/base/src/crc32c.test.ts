// CRC-32C against published vectors and a twin that divides bit by bit.
import { equal, throws } from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { AssertionError } from "./assert.ts";
import { concatBytes, latin1Encode } from "./bytes.ts";
import { crc32c } from "./crc32c.ts";

function crcByBits(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
  }
  return ~crc >>> 0;
}

// The check value of the catalogue of CRCs, and RFC 3720 (iSCSI), B.4.
const vectors: readonly [string, Uint8Array, number][] = [
  ["nothing", new Uint8Array(0), 0],
  ["123456789", latin1Encode("123456789"), 0xe3069283],
  ["32 zeros", new Uint8Array(32), 0x8a9136aa],
  ["32 ones", new Uint8Array(32).fill(0xff), 0x62a8ab43],
  ["32 rising", Uint8Array.from({ length: 32 }, (_, i) => i), 0x46dd794e],
  ["32 falling", Uint8Array.from({ length: 32 }, (_, i) => 31 - i), 0x113fdb5c],
];
for (const [name, bytes, expected] of vectors) {
  test(`crc32c of ${name}`, () => equal(crc32c(bytes), expected));
}

test("agrees with the twin on every range of any bytes", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), fc.nat(), fc.nat(), (bytes, x, y) => {
      const from = x % (bytes.length + 1);
      const to = from + (y % (bytes.length - from + 1));
      equal(crc32c(bytes, from, to), crcByBits(bytes.subarray(from, to)));
    }),
    { numRuns: 500 },
  );
});

test("the seed chains: the CRC of a then b from the CRC of a", () => {
  fc.assert(
    fc.property(fc.uint8Array(), fc.uint8Array(), (a, b) => {
      equal(crc32c(b, 0, b.length, crc32c(a)), crc32c(concatBytes([a, b])));
    }),
  );
});

test("any flipped bit is seen", () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1 }), fc.nat(), (bytes, at) => {
      const before = crc32c(bytes);
      const bit = at % (8 * bytes.length);
      bytes[bit >> 3]! ^= 1 << (bit & 7);
      equal(crc32c(bytes) === before, false);
    }),
  );
});

test("a range outside the bytes asserts", () => {
  throws(() => crc32c(new Uint8Array(4), 0, 5), AssertionError);
  throws(() => crc32c(new Uint8Array(4), 3, 2), AssertionError);
});
