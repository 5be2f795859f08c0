// Every scenario in its short form: a short one over three seeds, a long one over one.
import assert from "node:assert/strict";
import { test } from "node:test";
import { runScenario, type ScenarioResult, scenarioNames } from "../src/scenario/registry.ts";

/** A run of more events than this is long. */
const eventsMax = 10_000;

function run(name: string, seed: number): ScenarioResult {
  return runScenario(name, { seed, full: false, print: () => {} });
}

for (const name of scenarioNames) {
  test(`scenario ${name}`, () => {
    const { events } = run(name, 1);
    if (events > eventsMax) return;
    for (const seed of [2, 3]) run(name, seed);
  });
}

test("a scenario that is run twice leaves the same unseed, another seed another one", () => {
  const name = "partition-2-3";
  assert.equal(run(name, 1).unseed, run(name, 1).unseed);
  assert.notEqual(run(name, 1).unseed, run(name, 2).unseed);
});
