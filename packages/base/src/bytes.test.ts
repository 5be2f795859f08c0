// Byte strings against Node's Buffer as the twin.
import { deepEqual, equal, notEqual, throws } from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { AssertionError } from "./assert.ts";
import {
  compareBytes,
  concatBytes,
  equalBytes,
  fromHex,
  latin1Decode,
  latin1Encode,
  readU16,
  readU32,
  readU64,
  toHex,
  writeU16,
  writeU32,
  writeU64,
} from "./bytes.ts";

const bytes = fc.uint8Array({ maxLength: 40 });
// Few values and short: pairs that share long prefixes or are equal come up often.
const likeBytes = fc.uint8Array({ max: 1, maxLength: 4 });

test("compareBytes orders as Buffer.compare does, prefixes first", () => {
  fc.assert(
    fc.property(fc.oneof(bytes, likeBytes), fc.oneof(bytes, likeBytes), (a, b) => {
      equal(Math.sign(compareBytes(a, b)), Buffer.compare(a, b));
      equal(equalBytes(a, b), Buffer.compare(a, b) === 0);
    }),
  );
});

test("concatBytes joins, and shares no memory even with a single part", () => {
  fc.assert(
    fc.property(fc.array(bytes), (parts) => {
      deepEqual(concatBytes(parts), new Uint8Array(Buffer.concat(parts)));
    }),
  );
  const part = Uint8Array.of(1, 2);
  notEqual(concatBytes([part]).buffer, part.buffer);
});

test("hex goes both ways, in either case, and refuses everything else", () => {
  fc.assert(
    fc.property(bytes, (value) => {
      equal(toHex(value), Buffer.from(value).toString("hex"));
      deepEqual(fromHex(toHex(value)), value);
      deepEqual(fromHex(toHex(value).toUpperCase()), value);
    }),
  );
  for (const wrong of ["0", "0g", "g0", "0x", " 0", "é0", "@0", "0`"]) equal(fromHex(wrong), null);
});

test("latin1 goes both ways, in ranges and beyond one piece", () => {
  fc.assert(
    fc.property(bytes, fc.nat(), fc.nat(), (value, x, y) => {
      const from = x % (value.length + 1);
      const to = from + (y % (value.length - from + 1));
      equal(latin1Decode(value, from, to), Buffer.from(value).toString("latin1", from, to));
      deepEqual(latin1Encode(latin1Decode(value)), value);
    }),
  );
  const long = Uint8Array.from({ length: 10_001 }, (_, i) => i % 256);
  equal(latin1Decode(long), Buffer.from(long).toString("latin1"));
  throws(() => latin1Encode("\u0100"), AssertionError);
  throws(() => latin1Decode(long, 5, 10_002), AssertionError);
});

test("latin1 strings order under < as their bytes do", () => {
  fc.assert(
    fc.property(bytes, bytes, (a, b) => {
      equal(latin1Decode(a) < latin1Decode(b), compareBytes(a, b) < 0);
    }),
  );
});

test("integers are little-endian and come back", () => {
  fc.assert(
    fc.property(fc.maxSafeNat(), fc.nat({ max: 5 }), (value, at) => {
      const ours = new Uint8Array(16);
      const twin = Buffer.alloc(16);
      writeU64(ours, at, value);
      twin.writeBigUInt64LE(BigInt(value), at);
      deepEqual(ours, new Uint8Array(twin));
      equal(readU64(ours, at), value);
      writeU32(ours, at, value % 4294967296);
      twin.writeUInt32LE(value % 4294967296, at);
      writeU16(ours, at + 8, value % 65536);
      twin.writeUInt16LE(value % 65536, at + 8);
      deepEqual(ours, new Uint8Array(twin));
      equal(readU32(ours, at), value % 4294967296);
      equal(readU16(ours, at + 8), value % 65536);
    }),
  );
});

test("integers out of range or outside the bytes are refused", () => {
  const b = new Uint8Array(8);
  for (const wrong of [-1, 0.5, 2 ** 53, Number.NaN, Number.POSITIVE_INFINITY]) {
    throws(() => writeU64(b, 0, wrong), AssertionError);
    throws(() => writeU32(b, 0, wrong), AssertionError);
    throws(() => writeU16(b, 0, wrong), AssertionError);
  }
  throws(() => writeU32(b, 0, 2 ** 32), AssertionError);
  throws(() => writeU16(b, 0, 2 ** 16), AssertionError);
  deepEqual(b, new Uint8Array(8));
  for (const at of [-1, 1, 8]) {
    throws(() => readU64(b, at), AssertionError);
    throws(() => writeU64(b, at, 0), AssertionError);
  }
  throws(() => readU32(b, 5), AssertionError);
  throws(() => readU16(b, 7), AssertionError);
  b[6] = 0x20;
  throws(() => readU64(b, 0), /2\^53/);
});
