import assert from "node:assert/strict";
import { test } from "node:test";
import { assertCoverage, runSeed, runSeeds } from "./seed-suite.ts";

test("seeds 100 to 199: as 0 to 99, other draws", (t) => {
  const totals = runSeeds(100, 100);
  const { crashedAt, passed, members, ...numbers } = totals;
  t.diagnostic(JSON.stringify({ ...numbers, marks: passed.size, crashed: crashedAt.size }));
  assertCoverage(totals);
});

test("a seed that is run twice leaves the same unseed, another seed another one", () => {
  const first = [3, 40, 77].map((seed) => runSeed(seed).unseed);
  const second = [3, 40, 77].map((seed) => runSeed(seed).unseed);
  assert.deepEqual(first, second);
  assert.equal(new Set(first).size, 3);
});
