// How many gaps must be left: never asked for more than an order of the operations could need.
import assert from "node:assert/strict";
import { test } from "node:test";
import { areMet } from "./needs.ts";

test("gaps: each need alone, and all together by what one filler may do", () => {
  const needs = [
    { changes: 1, before: 10 },
    { changes: 1, before: 20 },
  ];
  for (const [gaps, keysMax, met] of [
    [[5, 15], 1, true],
    [[5], 1, false],
    // A transaction of two keys meets both (seed 3100, found by a history that was in order).
    [[5], 2, true],
    [[15], 2, false],
    [[], 2, false],
  ] as const) {
    assert.equal(areMet(needs, gaps, keysMax), met, `${gaps.join(" ")}, ${keysMax} keys`);
  }
  const twice = [{ changes: 2, before: 10 }];
  assert(!areMet(twice, [5], 2), "one filler changes a key once");
  assert(areMet(twice, [5, 6], 1));
});
