// The bytes of rows and segment headers: the worked example of docs/spec/storage-format.md, every
// field back as it went in, and no damaged byte taken for good.
import test from "node:test";
import { deepStrictEqual as deepEqual, ok, strictEqual as equal } from "node:assert";
import { fromHex, latin1Encode, toHex } from "@quorate/base";
import { Row } from "@quorate/kv";
import fc from "fast-check";
import {
  decodeRow,
  encodedRowBytes,
  encodeRow,
  RowBlock,
  rowHeaderBytes,
  rowLength,
  rowMain,
  rowProblem,
  rowSub,
  seedOf,
} from "./row-codec.ts";
import {
  decodeSegmentHeader,
  encodeSegmentHeader,
  SegmentHeader,
  segmentHeaderBytes,
} from "./segment-header.ts";

const example = new Row(
  4096,
  1,
  false,
  4000,
  3,
  0x12345678,
  0x9abcdef0,
  1_753_000_000_000 * 1024 + 5,
  2,
  7,
  latin1Encode("foo"),
  latin1Encode("bar!"),
);
const exampleNonce = 0x0123456789abc;
const exampleOffset = 64;

const exampleHex =
  "010000005b6aead0" + // format, flags, extension, CRC
  "0010000000000000" + // main
  "01000000" + // sub
  "0300000004000000" + // lengths of key and value
  "a00f000000000000" + // create revision
  "0300000000000000" + // version
  "78563412f0debc9a" + // lease
  "0500e8c49b600600" + // hlc
  "070000000000" + // origin sequence
  "0200" + // origin
  "666f6f" + // key
  "62617221"; // value

function encoded(row: Row, nonce: number, offset: number): RowBlock {
  const block = new RowBlock(new Uint8Array(encodedRowBytes(row)));
  encodeRow(block, 0, row, seedOf(nonce), offset);
  return block;
}

test("the worked example", () => {
  const block = encoded(example, exampleNonce, exampleOffset);
  equal(toHex(block.bytes), exampleHex);
  const back = new RowBlock(fromHex(exampleHex)!);
  equal(rowProblem(back, 0, back.bytes.length, seedOf(exampleNonce), exampleOffset), null);
  deepEqual(decodeRow(back, 0), example);
});

const u32 = fc.integer({ min: 0, max: 2 ** 32 - 1 });
const u53 = fc.maxSafeNat();
const anyRow = fc
  .record({
    main: u53,
    sub: u32,
    tombstone: fc.boolean(),
    create: u53,
    version: u53,
    leaseHigh: u32,
    leaseLow: u32,
    hlc: u53,
    origin: fc.integer({ min: 0, max: 255 }),
    originSequence: fc.integer({ min: 0, max: 2 ** 48 - 1 }),
    key: fc.uint8Array({ maxLength: 300 }),
    value: fc.uint8Array({ maxLength: 300 }),
  })
  .map(
    (r) =>
      new Row(
        r.main,
        r.sub,
        r.tombstone,
        r.create,
        r.version,
        r.leaseHigh,
        r.leaseLow,
        r.hlc,
        r.origin,
        r.originSequence,
        r.key,
        r.value,
      ),
  );

test("any row comes back, anywhere in a block, by any nonce", () => {
  fc.assert(
    fc.property(anyRow, u53, u32, fc.integer({ min: 0, max: 50 }), (row, nonce, offset, at) => {
      const length = encodedRowBytes(row);
      const block = new RowBlock(new Uint8Array(at + length + 7).fill(0xee));
      encodeRow(block, at, row, seedOf(nonce), offset);
      equal(rowLength(block, at, at + length), length);
      equal(rowProblem(block, at, length, seedOf(nonce), offset), null);
      equal(rowMain(block, at), row.main);
      equal(rowSub(block, at), row.sub);
      deepEqual(decodeRow(block, at), row);
      equal(block.bytes[at + length], 0xee, "nothing behind it is touched");
    }),
  );
});

test("any flipped bit, another nonce, another offset: not this row", () => {
  const seed = seedOf(exampleNonce);
  const block = encoded(example, exampleNonce, exampleOffset);
  const { length } = block.bytes;
  for (let bit = 0; bit < 8 * length; bit++) {
    block.bytes[bit >> 3]! ^= 1 << (bit & 7);
    const found = rowLength(block, 0, length);
    const whole = found > 0 && found <= length;
    ok(!whole || rowProblem(block, 0, found, seed, exampleOffset) !== null, `bit ${bit}`);
    block.bytes[bit >> 3]! ^= 1 << (bit & 7);
  }
  ok(rowProblem(block, 0, length, seedOf(exampleNonce + 1), exampleOffset)?.startsWith("CRC "));
  for (const offset of [0, 63, 65, 4096, 2 ** 32 - 1]) {
    ok(rowProblem(block, 0, length, seed, offset) !== null, `offset ${offset}`);
  }
});

test("a row's length by its header: padding, unknown, cut", () => {
  const block = encoded(example, exampleNonce, exampleOffset);
  equal(rowLength(block, 0, rowHeaderBytes - 1), rowHeaderBytes, "asks for the whole header");
  equal(rowLength(block, 0, rowHeaderBytes), rowHeaderBytes + 7);
  equal(rowLength(new RowBlock(new Uint8Array(9)), 0, 9), 0);
  equal(rowLength(new RowBlock(new Uint8Array([2, 0])), 0, 2), -1);
});

test("an extension of a later format is stepped over", () => {
  const seed = seedOf(exampleNonce);
  const plain = encoded(example, exampleNonce, exampleOffset).bytes;
  const bytes = new Uint8Array([
    ...plain.subarray(0, rowHeaderBytes),
    ...[9, 9, 9],
    ...plain.subarray(rowHeaderBytes),
  ]);
  const block = new RowBlock(bytes);
  block.view.setUint16(2, 3, true);
  equal(rowLength(block, 0, bytes.length), plain.length + 3);
  const problem = rowProblem(block, 0, bytes.length, seed, exampleOffset);
  ok(problem !== null, "the CRC covers it");
  block.view.setUint32(4, Number.parseInt(problem.slice(-8), 16), true);
  equal(rowProblem(block, 0, bytes.length, seed, exampleOffset), null);
  deepEqual(decodeRow(block, 0), example);
});

test("a segment header: back as it went in, the worked example, no damaged byte taken", () => {
  const header = new SegmentHeader("00000000000000c1", 2 ** 52 - 1, exampleNonce, 4096);
  const bytes = new Uint8Array(segmentHeaderBytes).fill(7);
  encodeSegmentHeader(header, bytes);
  equal(
    toHex(bytes),
    "51524f576a1ac9240100000000000000" +
      "00000000000000c1ffffffffffff0f00" +
      "bc9a7856341200000010000000000000" +
      "00".repeat(16),
  );
  deepEqual(decodeSegmentHeader(bytes), header);
  for (let bit = 0; bit < 8 * segmentHeaderBytes; bit++) {
    bytes[bit >> 3]! ^= 1 << (bit & 7);
    equal(typeof decodeSegmentHeader(bytes), "string", `bit ${bit}`);
    bytes[bit >> 3]! ^= 1 << (bit & 7);
  }
  equal(decodeSegmentHeader(bytes.subarray(0, 63)), "only 63 bytes long");
});
