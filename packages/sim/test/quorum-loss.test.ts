// What a recovery plan says about losses is true, and carrying it out brings a cluster back that serves
// (reliability.md §4.3): at random moments of runs under faults all members lose their power, and so many
// disks are gone that no quorum is left. The short form; the thousand are in quorum-loss.slow.test.ts.
import assert from "node:assert/strict";
import { test } from "node:test";
import { recoveries } from "./recovery/recoveries.ts";

test("what a plan says about losses is true, losses do happen, and the survivors go on", (t) => {
  const seen = recoveries(0, 6);
  t.diagnostic(JSON.stringify(seen));
  assert.ok(seen.plans > 20, `${seen.plans} plans`);
  assert.ok(seen.lost > 0, "a plan that is never wrong about a loss was never tried");
  assert.ok(seen.certain > 0, "four members, two of them left");
  assert.ok(seen.told > seen.plans, "old members were started");
});
