// ByteWriter and ByteReader as twins: what one writes the other reads, and the reader survives
// anything else.
import { deepEqual, equal, notEqual, throws } from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { AssertionError } from "./assert.ts";
import { ByteReader } from "./byte-reader.ts";
import { ByteWriter } from "./byte-writer.ts";
import { emptyBytes, fromHex, toHex } from "./bytes.ts";
import { crc32c } from "./crc32c.ts";

type Field =
  | { kind: "u8" | "u16" | "u32" | "u64" | "varint"; value: number }
  | { kind: "bytes" | "lengthBytes"; value: Uint8Array }
  | { kind: "text"; value: string };

const below = (kind: "u8" | "u16" | "u32", limit: number): fc.Arbitrary<Field> =>
  fc.maxSafeNat().map((value) => ({ kind, value: value % limit }));
const field: fc.Arbitrary<Field> = fc.oneof(
  below("u8", 2 ** 8),
  below("u16", 2 ** 16),
  below("u32", 2 ** 32),
  fc.maxSafeNat().map((value): Field => ({ kind: "u64", value })),
  fc
    .tuple(fc.maxSafeNat(), fc.nat({ max: 52 }))
    .map(([value, bits]): Field => ({ kind: "varint", value: Math.floor(value / 2 ** bits) })),
  fc
    .tuple(fc.constantFrom("bytes", "lengthBytes"), fc.uint8Array({ maxLength: 300 }))
    .map(([kind, value]): Field => ({ kind, value })),
  fc.string({ unit: "grapheme" }).map((value): Field => ({ kind: "text", value })),
);

function write(writer: ByteWriter, f: Field): void {
  switch (f.kind) {
    case "bytes":
    case "lengthBytes":
      return writer[f.kind](f.value);
    case "text":
      return writer.text(f.value);
    default:
      return writer[f.kind](f.value);
  }
}

function read(reader: ByteReader, f: Field): Field["value"] {
  return f.kind === "bytes" ? reader.bytes(f.value.length) : reader[f.kind]();
}

test("what ByteWriter writes ByteReader reads, field by field, and nothing is left", () => {
  fc.assert(
    fc.property(fc.array(field), fc.nat({ max: 9 }), (fields, margin) => {
      const writer = new ByteWriter(1);
      writer.bytes(new Uint8Array(margin));
      for (const f of fields) write(writer, f);
      const end = writer.length;
      writer.bytes(new Uint8Array(margin).fill(255));
      const reader = new ByteReader(writer.take(), margin, end);
      for (const f of fields) deepEqual(read(reader, f), f.value);
      equal(reader.ok, true);
      equal(reader.done, true);
      equal(reader.remaining, 0);
      equal(reader.position, end);
    }),
  );
});

test("a writer shows and checks what was written, whether or not its buffer is full", () => {
  for (const startBytes of [4, 9]) {
    const writer = new ByteWriter(startBytes);
    writer.u32(0x01020304);
    deepEqual([...writer.view()], [4, 3, 2, 1]);
    writer.bytes(new TextEncoder().encode("123456789"));
    equal(writer.checksum(4), 0xe3069283);
    equal(writer.checksum(0, 4), crc32c(Uint8Array.of(4, 3, 2, 1)));
    throws(() => writer.checksum(0, 14), /outside/);
    deepEqual([...writer.view().subarray(0, 4)], [4, 3, 2, 1]);
  }
});

test("a cut anywhere turns ok false, stays so, and reads give 0 or nothing", () => {
  fc.assert(
    fc.property(fc.array(field, { minLength: 1 }), fc.nat(), (fields, cut) => {
      const writer = new ByteWriter();
      for (const f of fields) write(writer, f);
      fc.pre(writer.length > 0);
      const bytes = writer.view();
      const reader = new ByteReader(bytes, 0, cut % bytes.length);
      let failed = false;
      for (const f of fields) {
        const value = read(reader, f);
        if (reader.ok) {
          deepEqual(value, f.value);
          equal(failed, false);
        } else {
          failed = true;
          equal(reader.done, true);
          equal(reader.remaining, 0);
          deepEqual(typeof value === "number" ? 0 : value.length, 0);
        }
      }
      equal(failed, true);
    }),
  );
});

test("random bytes never throw", () => {
  const kinds = fc.constantFrom("u8", "u16", "u32", "u64", "varint", "lengthBytes", "text");
  fc.assert(
    fc.property(fc.uint8Array(), fc.array(kinds), (bytes, reads) => {
      const reader = new ByteReader(bytes);
      for (const kind of reads) reader[kind as "u8"]();
      equal(reader.position <= bytes.length, true);
    }),
  );
});

const varints: readonly [string, number][] = [
  ["00", 0],
  ["7f", 127],
  ["8001", 128],
  ["ffffff7f", 2 ** 28 - 1],
  ["8080808001", 2 ** 28],
  ["ffffffff07", 2 ** 31 - 1],
  ["8080808010", 2 ** 32],
  ["ffffffffffffff0f", 2 ** 53 - 1],
];
for (const [hex, value] of varints) {
  test(`varint ${value} is ${hex}`, () => {
    const writer = new ByteWriter();
    writer.varint(value);
    equal(toHex(writer.view()), hex);
    equal(new ByteReader(writer.view()).varint(), value);
  });
}

const refused: readonly [string, string][] = [
  ["8000", "an overlong zero"],
  ["ff8000", "an overlong form"],
  ["8080808080808010", "2^53"],
  ["ffffffffffffffff01", "nine bytes"],
  ["80", "a cut form"],
  ["", "nothing"],
];
for (const [hex, name] of refused) {
  test(`varint refuses ${name}`, () => {
    const reader = new ByteReader(fromHex(hex) ?? emptyBytes);
    equal(reader.varint(), 0);
    equal(reader.ok, false);
    equal(reader.position, 0);
  });
}

test("u64 refuses 2^53 and takes 2^53 − 1", () => {
  equal(new ByteReader(fromHex("ffffffffffff1f00")!).u64(), 2 ** 53 - 1);
  const reader = new ByteReader(fromHex("0000000000002000")!);
  equal(reader.u64(), 0);
  equal(reader.ok, false);
});

test("a length beyond the end fails at its own start, and fail() is final", () => {
  const reader = new ByteReader(fromHex("01aa05bb")!);
  equal(reader.lengthBytes().length, 1);
  equal(reader.lengthBytes(), emptyBytes);
  equal(reader.position, 2);
  equal(reader.u8(), 0);
  const other = new ByteReader(fromHex("01")!);
  other.fail();
  equal(other.u8(), 0);
  equal(other.done, true);
});

test("the writer's copies stay, its views and patches are the buffer, reset keeps nothing", () => {
  const writer = new ByteWriter(2);
  writer.u32(0);
  writer.u8(9);
  writer.pad(4);
  writer.pad(4);
  writer.patchU32(0, 0x01020304);
  const copy = writer.take();
  equal(toHex(copy), "0403020109000000");
  deepEqual(writer.take(), writer.view());
  notEqual(copy.buffer, writer.view().buffer);
  writer.reset();
  equal(writer.length, 0);
  writer.u8(255);
  writer.pad(3);
  equal(toHex(writer.view()), "ff0000");
  equal(toHex(copy), "0403020109000000");
  throws(() => writer.patchU32(0, 1), AssertionError);
});

test("values out of range assert", () => {
  const writer = new ByteWriter();
  for (const wrong of [-1, 0.5, 2 ** 53, Number.NaN]) {
    for (const kind of ["u8", "u16", "u32", "u64", "varint"] as const) {
      throws(() => writer[kind](wrong), AssertionError);
    }
  }
  equal(writer.length, 0);
});
