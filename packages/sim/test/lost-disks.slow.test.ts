// Issue 5: in 500 repeats of wiped, rolled-back and damaged disks with leader crashes mixed in, no
// acknowledged write is lost, and every member votes again by itself.
import assert from "node:assert/strict";
import { test } from "node:test";
import { runScenario } from "../src/scenario/registry.ts";

test("disks lost again and again: 500 repeats, nothing acknowledged is lost", (t) => {
  let repeats = 0;
  const print = (line: string): void => {
    if (line.startsWith("--- repeat")) repeats++;
  };
  const { virtualMs } = runScenario("disks-lost-again-and-again", { seed: 1, full: true, print });
  t.diagnostic(`${repeats} repeats, ${Math.round(virtualMs / 1000)} virtual s`);
  assert.equal(repeats, 500);
});
