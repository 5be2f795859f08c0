// The shrinker against failures whose causes are known: it keeps exactly what is needed.
import assert from "node:assert/strict";
import { test } from "node:test";
import { familyNames } from "../nemesis/families.ts";
import { planOf, type RunPlan } from "../run-plan.ts";
import type { RunFailure } from "./failure.ts";
import { Shrinker } from "./shrink.ts";

function failureOf(plan: RunPlan, property: string = "S1"): RunFailure {
  const empty = { message: "", stack: "", story: [], members: "" };
  return { ...empty, property, atMs: 7_000, actions: 40, plan };
}

test("two acts and one family cause it: nothing else is left", () => {
  const fails = (plan: RunPlan): boolean =>
    !plan.without.includes("partitions") && ![11, 29].some((n) => plan.refuse.includes(n));
  const shrinker = new Shrinker(
    failureOf(planOf(1)),
    (plan) => (fails(plan) ? failureOf(plan) : null),
    500,
  );
  const { plan } = shrinker.shrink();
  assert.deepEqual(
    plan.without,
    familyNames.filter((name) => name !== "partitions"),
  );
  assert.equal(plan.calmNetwork, true);
  assert.equal(plan.clients, 1);
  assert.equal(plan.seconds, 2);
  const left = Array.from({ length: 40 }, (_, n) => n).filter((n) => !plan.refuse.includes(n));
  assert.deepEqual(left, [11, 29]);
});

test("another property's failure is not the same failure", () => {
  const attempt = (plan: RunPlan): RunFailure => failureOf(plan, "L1 a leader");
  const shrinker = new Shrinker(failureOf(planOf(1)), attempt, 500);
  assert.deepEqual(shrinker.shrink().plan, planOf(1));
});

test("attempts are bounded", () => {
  let attempts = 0;
  const attempt = (): null => {
    attempts++;
    return null;
  };
  new Shrinker(failureOf(planOf(1)), attempt, 9).shrink();
  assert.equal(attempts, 9);
});
