// Clocks that stand where broken ones do, on all members at once: nothing depends on what they say.
import assert from "node:assert/strict";
import { test } from "node:test";
import { familyNames } from "../src/nemesis/families.ts";
import { Run } from "../src/run.ts";

/** 2^63 ns, 1970, and the last years whose milliseconds still fit an hlc. */
const readings = [9_223_372_036_854, 0, 8_796_093_000_000];

for (const members of [1, 3]) {
  test(`all clocks of ${members} broken: writes, checkpoints and restarts go on`, () => {
    for (const [seed, reading] of readings.entries()) {
      const run = new Run(seed, (options) => {
        for (const family of familyNames) options.faults[family] = null;
        options.members = members;
        options.network = {};
        options.safetyMs = 2_000;
        options.finalPowerLoss = true;
      });
      for (const { clock } of run.cluster.members) clock.jumpWall(reading - clock.wallMs());
      const { operations } = run.run();
      assert.ok(operations.ok > 20, `${operations.ok} operations`);
    }
  });
}
