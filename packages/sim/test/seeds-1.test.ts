// The first half of the seeds that every run of the tests sees.
import { test } from "node:test";
import { assertCoverage, describeTotals, runSeeds } from "./seed-suite.ts";

test("seeds 0 to 99: faults, crashes at every mark, founding under wipes; then the whole judged", (t) => {
  const totals = runSeeds(0, 100);
  t.diagnostic(describeTotals(totals));
  assertCoverage(totals);
});
