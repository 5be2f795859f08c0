import { test } from "node:test";
import { assertCoverage, runSeeds } from "./seed-suite.ts";

test("seeds 0 to 99: faults, crashes at every mark, founding under wipes; then the whole judged", (t) => {
  const totals = runSeeds(0, 100);
  const { crashedAt, passed, members, ...numbers } = totals;
  t.diagnostic(JSON.stringify({ ...numbers, marks: passed.size, crashed: crashedAt.size }));
  assertCoverage(totals);
});
