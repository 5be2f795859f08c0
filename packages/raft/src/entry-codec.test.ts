// Bytes of an entry: pinned by an example, round trips at the limits of every field, fuzz by
// "what decodes encodes to the same bytes".
import { deepEqual, equal, throws } from "node:assert/strict";
import { test } from "node:test";
import { AssertionError, ByteReader, ByteWriter, fromHex, toHex } from "@quorate/base";
import fc from "fast-check";
import { Entry, EntryKind } from "./entry.ts";
import {
  decodeEntry,
  encodedEntryBytes,
  encodedEntryBytesMin,
  encodeEntry,
  entryKindMax,
  entryLevelMax,
} from "./entry-codec.ts";

const none = new Uint8Array(0);

function encoded(...entries: readonly Entry[]): Uint8Array {
  const writer = new ByteWriter();
  for (const entry of entries) encodeEntry(writer, entry);
  return writer.take();
}

const exact = fc.oneof(fc.nat(200), fc.nat(2 ** 31 - 1), fc.maxSafeNat());
const position = exact.map((value) => Math.max(1, value));

const anyEntry: fc.Arbitrary<Entry> = fc
  .record({
    term: position,
    index: position,
    kind: fc.nat(entryKindMax),
    level: fc.oneof(fc.nat(9), fc.constant(entryLevelMax)),
    wallMs: exact,
    payload: fc.oneof(fc.uint8Array({ maxLength: 20 }), fc.uint8Array({ maxLength: 300 })),
  })
  .map(
    ({ term, index, kind, level, wallMs, payload }) =>
      new Entry(term, index, kind, level, wallMs, payload),
  );

test("the example in the header: the format is pinned", () => {
  const entry = new Entry(3, 300, 16, 1, 1000, new Uint8Array([0x61, 0x62]));
  equal(toHex(encoded(entry)), "03ac021001e807026162");
  deepEqual(decodeEntry(new ByteReader(fromHex("03ac021001e807026162")!)), entry);
});

test("the smallest entry is as small as the bound on counts says", () => {
  const entry = new Entry(1, 1, EntryKind.Empty, 0, 0, none);
  equal(encoded(entry).length, encodedEntryBytesMin);
});

test("round trip, and the size known before", () => {
  fc.assert(
    fc.property(anyEntry, (entry) => {
      const bytes = encoded(entry);
      equal(encodedEntryBytes(entry), bytes.length);
      deepEqual(decodeEntry(new ByteReader(bytes)), entry);
    }),
    { numRuns: 500 },
  );
});

test("one after the other: each reads its own bytes and no more", () => {
  fc.assert(
    fc.property(fc.array(anyEntry, { maxLength: 8 }), (entries) => {
      const reader = new ByteReader(encoded(...entries));
      for (const entry of entries) deepEqual(decodeEntry(reader), entry);
      equal(reader.ok && reader.done, true);
      equal(decodeEntry(reader), null);
      equal(reader.ok, false);
    }),
  );
});

test("the payload is a view, not a copy", () => {
  const bytes = encoded(new Entry(1, 1, 16, 1, 0, new Uint8Array([7, 8, 9])));
  const entry = decodeEntry(new ByteReader(bytes))!;
  equal(entry.payload.buffer, bytes.buffer);
  deepEqual([...entry.payload], [7, 8, 9]);
});

test("damaged bytes never throw, and what still reads has exactly these bytes", () => {
  const one = fc.record({ entry: anyEntry, at: fc.nat(), to: fc.nat(255) });
  const bytes = fc.oneof(
    one.map(({ entry, at, to }) => {
      const valid = encoded(entry);
      return valid.with(at % valid.length, to);
    }),
    fc.uint8Array({ maxLength: 40 }),
  );
  fc.assert(
    fc.property(bytes, (damaged) => {
      const reader = new ByteReader(damaged);
      const entry = decodeEntry(reader);
      equal(entry !== null, reader.ok);
      if (entry !== null) deepEqual(encoded(entry), damaged.slice(0, reader.position));
    }),
    { numRuns: 3000 },
  );
});

test("every cut of an entry is none", () => {
  const bytes = encoded(new Entry(3, 300, 16, 1, 1000, new Uint8Array([1, 2, 3])));
  for (let cut = 0; cut < bytes.length; cut++) {
    equal(decodeEntry(new ByteReader(bytes, 0, cut)), null, `cut at ${cut}`);
  }
});

test("refused on reading: term or index 0, kind and level out of range, long varints", () => {
  const rows = ["000110010000", "010010010000", "01018080040100", "010110" + "8080808010" + "0000"];
  for (const hex of rows) equal(decodeEntry(new ByteReader(fromHex(hex)!)), null, hex);
  equal(decodeEntry(new ByteReader(fromHex("8100" + "0110010000")!)), null);
});

test("what would not decode does not encode", () => {
  const bad = [
    new Entry(0, 1, 16, 1, 0, none),
    new Entry(1, 0, 16, 1, 0, none),
    new Entry(1, 1, entryKindMax + 1, 1, 0, none),
    new Entry(1, 1, 16, entryLevelMax + 1, 0, none),
    new Entry(1, 1, 16, 1, 0.5, none),
    new Entry(1, 1, -1, 1, 0, none),
  ];
  for (const entry of bad) throws(() => encoded(entry), AssertionError);
});
