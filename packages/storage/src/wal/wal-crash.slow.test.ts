// As wal-crash.test.ts, at every disk operation of many workloads.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { crashKinds, crashStory, refusalStory } from "../testing/wal-crashes.ts";

const seeds = 20;

describe("wal crashes, many workloads", () => {
  for (const crash of crashKinds) {
    it(`${crash} at every disk operation of ${seeds} workloads`, () => {
      for (let seed = 1000; seed < 1000 + seeds; seed++) {
        let more = true;
        for (let operation = 0; more; operation++) {
          assert.doesNotThrow(() => {
            more = crashStory(seed, operation, crash);
          }, `seed ${seed}, operation ${operation}, ${crash}`);
        }
      }
    });
  }

  it(`a refused sync at many disk operations of ${seeds} workloads`, () => {
    for (let seed = 1000; seed < 1000 + seeds; seed++) {
      for (let operation = 0; operation < 300; operation += 3) {
        assert.doesNotThrow(
          () => refusalStory(seed, operation, operation % 2 === 0),
          `seed ${seed}, operation ${operation}`,
        );
      }
    }
  });
});
