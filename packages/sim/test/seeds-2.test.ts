// The second half of the seeds, and that a seed decides all.
import assert from "node:assert/strict";
import { test } from "node:test";
import { assertCoverage, describeTotals, runSeed, runSeeds } from "./seed-suite.ts";

test("seeds 100 to 199: as 0 to 99, other draws", (t) => {
  const totals = runSeeds(100, 100);
  t.diagnostic(describeTotals(totals));
  assertCoverage(totals);
});

test("a seed that is run twice leaves the same unseed, another seed another one", () => {
  const first = [3, 40, 77].map((seed) => runSeed(seed).unseed);
  const second = [3, 40, 77].map((seed) => runSeed(seed).unseed);
  assert.deepEqual(first, second);
  assert.equal(new Set(first).size, 3);
});
