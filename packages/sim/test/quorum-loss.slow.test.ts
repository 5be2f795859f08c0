// A thousand recoveries from end to end (quorum-loss.test.ts).
import assert from "node:assert/strict";
import { test } from "node:test";
import { recoveries } from "./recovery/recoveries.ts";

test("a thousand recoveries: each says the truth, and ends in a cluster that serves", (t) => {
  const seen = recoveries(1_000, 220);
  t.diagnostic(JSON.stringify(seen));
  assert.ok(seen.plans >= 1_000, `${seen.plans} plans`);
  assert.ok(seen.lost > 0 && seen.certain > 0 && seen.repeated > 0);
});
