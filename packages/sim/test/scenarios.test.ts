// Every scenario, in its short form, over several seeds; a story and its seed decide all.
import assert from "node:assert/strict";
import { test } from "node:test";
import { runScenario, scenarioNames } from "../src/scenario/registry.ts";

const seeds = [1, 2, 3];

function run(name: string, seed: number): string {
  return runScenario(name, { seed, full: false, print: () => {} }).unseed;
}

for (const name of scenarioNames) {
  test(`scenario ${name}`, () => {
    for (const seed of seeds) run(name, seed);
  });
}

test("a scenario that is run twice leaves the same unseed, another seed another one", () => {
  const name = "partition-2-3";
  assert.equal(run(name, 1), run(name, 1));
  assert.notEqual(run(name, 1), run(name, 2));
});
