// Method: texts as Go's time.ParseDuration takes and refuses them. Goal: a duration means what it
// means to etcd.
import { equal } from "node:assert/strict";
import { test } from "node:test";
import { parseDurationMs } from "./duration.ts";

const rows: readonly (readonly [string, number | null])[] = [
  ["10m0s", 600_000],
  ["10m", 600_000],
  ["1h30m", 5_400_000],
  ["500ms", 500],
  ["1.5s", 1500],
  ["0", 0],
  ["5", null],
  ["", null],
  ["m5", null],
  ["5m x", null],
  ["-1s", null],
];

for (const [text, expected] of rows) {
  test(`the duration "${text}" is ${expected === null ? "refused" : `${expected} ms`}`, () => {
    equal(parseDurationMs(text), expected);
  });
}
