// KEY, RANGE_END, --prefix and --from-key as etcdctl turns them into byte strings.
import { deepEqual, throws } from "node:assert/strict";
import { test } from "node:test";
import { UsageError } from "../exit.ts";
import { keyRange, prefixEnd } from "./key-range.ts";

const plain = { prefix: false, fromKey: false };
const prefix = { prefix: true, fromKey: false };
const fromKey = { prefix: false, fromKey: true };

function range(...args: Parameters<typeof keyRange>): [string, string] {
  const { key, rangeEnd } = keyRange(...args);
  return [Buffer.from(key).toString("latin1"), Buffer.from(rangeEnd).toString("latin1")];
}

test("a key, a range, a prefix, everything from a key, everything", () => {
  deepEqual(range("a", undefined, plain), ["a", ""]);
  deepEqual(range("a", "c", plain), ["a", "c"]);
  deepEqual(range("ab", undefined, prefix), ["ab", "ac"]);
  deepEqual(range("ab", undefined, fromKey), ["ab", "\0"]);
  deepEqual(range("", undefined, prefix), ["\0", "\0"]);
  deepEqual(range("", undefined, fromKey), ["\0", "\0"]);
  deepEqual(range("é", undefined, plain), ["\xc3\xa9", ""]);
});

test("the end of a prefix carries over bytes of 255, and leaves its argument alone", () => {
  const rows: [number[], number[]][] = [
    [[1], [2]],
    [[1, 255], [2]],
    [
      [1, 254],
      [1, 255],
    ],
    [[255, 255], [0]],
    [
      [7, 255, 3],
      [7, 255, 4],
    ],
  ];
  for (const [from, to] of rows) {
    const bytes = Buffer.from(from);
    deepEqual([...prefixEnd(bytes)], to);
    deepEqual([...bytes], from);
  }
});

test("contradictions are refused", () => {
  throws(() => keyRange("a", undefined, { prefix: true, fromKey: true }), UsageError);
  throws(() => keyRange("a", "b", prefix), UsageError);
  throws(() => keyRange("a", "b", fromKey), UsageError);
});
