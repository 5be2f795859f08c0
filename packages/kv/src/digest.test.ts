// The hash behind the digests: fixed values, since checkpoints and other members hold them, and
// that every bit of its input counts.
import { deepEqual, equal, notDeepEqual, ok } from "node:assert/strict";
import { test } from "node:test";
import { latin1Encode } from "@quorate/base";
import { Hasher } from "./digest.ts";
import { hashRow, LiveDigest } from "./mvcc/live-digest.ts";
import { Row } from "./rows.ts";

const hasher = new Hasher();

function hashOf(feed: () => void): [number, number] {
  hasher.reset(1);
  feed();
  hasher.finish();
  return [hasher.low, hasher.high];
}

const fields = {
  main: 2 ** 33 + 5,
  sub: 3,
  createRevision: 7,
  version: 9,
  leaseHigh: 0x80000001,
  leaseLow: 11,
  hlc: 1.7e15 + 1,
  origin: 13,
  originSequence: 2 ** 40 + 15,
  key: latin1Encode("some key"),
  value: latin1Encode("a value of no even length"),
};

function rowOf(f: typeof fields): Row {
  return new Row(
    f.main,
    f.sub,
    false,
    f.createRevision,
    f.version,
    f.leaseHigh,
    f.leaseLow,
    f.hlc,
    f.origin,
    f.originSequence,
    f.key,
    f.value,
  );
}

test("fixed values: a change of the hash is a change of the format", () => {
  deepEqual(
    hashOf(() => {}),
    [85225530, 3397637630],
  );
  deepEqual(
    hashOf(() => hasher.number(2 ** 52 + 1)),
    [1879263659, 1399313041],
  );
  deepEqual(
    hashOf(() => hasher.bytes(latin1Encode("quorate"))),
    [1291044878, 2348080173],
  );
  hashRow(hasher, rowOf(fields));
  deepEqual([hasher.low, hasher.high], [336346829, 3433920960]);
});

test("every field of a row counts, and every byte of its key and value", () => {
  const seen = new Set<string>();
  const add = (row: Row): void => {
    hashRow(hasher, row);
    seen.add(`${hasher.low} ${hasher.high}`);
  };
  let rows = 1;
  add(rowOf(fields));
  for (const name of Object.keys(fields) as (keyof typeof fields)[]) {
    const value = fields[name];
    if (typeof value === "number") {
      add(rowOf({ ...fields, [name]: value + 1 }));
      rows++;
      continue;
    }
    for (let bit = 0; bit < 8 * value.length; bit++) {
      const changed = value.slice();
      changed[bit >> 3]! ^= 1 << (bit & 7);
      add(rowOf({ ...fields, [name]: changed }));
      rows++;
    }
  }
  // The border between key and value counts too.
  add(rowOf({ ...fields, key: latin1Encode("some ke"), value: latin1Encode("ya value of no") }));
  add(rowOf({ ...fields, key: latin1Encode("some key"), value: latin1Encode("a value of no") }));
  equal(seen.size, rows + 2);
});

test("about half of the bits of both lanes change with one bit of the input", () => {
  const bytes = new Uint8Array(64);
  const [low, high] = hashOf(() => hasher.bytes(bytes));
  const ones = (x: number): number => x.toString(2).replaceAll("0", "").length;
  let lowBits = 0;
  let highBits = 0;
  for (let bit = 0; bit < 512; bit++) {
    bytes[bit >> 3]! ^= 1 << (bit & 7);
    const [otherLow, otherHigh] = hashOf(() => hasher.bytes(bytes));
    bytes[bit >> 3]! ^= 1 << (bit & 7);
    lowBits += ones((low ^ otherLow) >>> 0);
    highBits += ones((high ^ otherHigh) >>> 0);
  }
  for (const bits of [lowBits, highBits]) ok(Math.abs(bits / 512 - 16) < 1, `${bits / 512}`);
});

test("no two of 300,000 short inputs share a lane more often than chance", () => {
  const lows = new Set<number>();
  const highs = new Set<number>();
  const count = 300_000;
  for (let i = 0; i < count; i++) {
    const [low, high] = hashOf(() => hasher.number(i));
    lows.add(low);
    highs.add(high);
  }
  // About n² / 2^33 = 10 pairs are expected.
  for (const lane of [lows, highs]) ok(count - lane.size < 60, `${count - lane.size} pairs`);
});

test("the live digest is that of the set: order does not matter, and removal undoes", () => {
  const a = new LiveDigest();
  const b = new LiveDigest();
  a.add(1, 2);
  a.add(0xffffffff, 0x80000000);
  a.add(5, 5);
  b.add(5, 5);
  b.add(1, 2);
  notDeepEqual({ ...a }, { ...b });
  a.remove(0xffffffff, 0x80000000);
  deepEqual({ ...a }, { ...b });
  // Twice the same is not nothing.
  b.add(1, 2);
  notDeepEqual({ ...b }, { low: 5, high: 5 });
});
