// A crash at every disk operation of a workload, and at random ones of many: whatever was
// acknowledged is there, nothing else is, the next recovery finds the same, recoveries may crash
// too, and no honest crash is ever taken for damage.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Prng } from "@quorate/base";
import { crashKinds, crashStory, refusalStory } from "../testing/wal-crashes.ts";

describe("wal crashes", () => {
  for (const crash of crashKinds) {
    it(`${crash} at every disk operation of one workload`, () => {
      let operation = 0;
      while (crashStory(1, operation, crash)) operation++;
      assert.ok(operation > 200, `only ${operation} operations: the workload does nothing`);
    });

    it(`${crash} at a random operation of 150 workloads`, () => {
      const prng = new Prng(crash);
      for (let seed = 2; seed < 152; seed++) {
        const operation = prng.below(300);
        assert.doesNotThrow(
          () => crashStory(seed, operation, crash),
          `seed ${seed}, operation ${operation}, ${crash}`,
        );
      }
    });
  }

  for (const writable of [true, false]) {
    const how = writable ? "" : ", also when the disk has become read-only";
    it(`a refused sync ends the process, and its batches are written anew by the next start${how}`, () => {
      const prng = new Prng("refusal");
      for (let seed = 2; seed < 152; seed++) {
        const operation = prng.below(200);
        assert.doesNotThrow(
          () => refusalStory(seed, operation, writable),
          `seed ${seed}, operation ${operation}`,
        );
      }
    });
  }
});
