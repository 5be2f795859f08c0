// Settings in milliseconds become ticks of the configured length.
import assert from "node:assert/strict";
import { test } from "node:test";
import { raftDefaults } from "@quorate/raft";
import { closeHintTicks } from "./raft-settings.ts";

test("P6: 20 ms and up to 50 more, whatever the length of a tick", () => {
  for (const [tickMs, closeHintBaseTicks, closeHintSpreadTicks] of [
    [1, 20, 50],
    [10, 2, 5],
    [50, 1, 1],
  ] as const) {
    assert.deepEqual(closeHintTicks(tickMs), { closeHintBaseTicks, closeHintSpreadTicks });
  }
  const { tickMs, closeHintBaseTicks, closeHintSpreadTicks } = raftDefaults;
  assert.deepEqual(closeHintTicks(tickMs), { closeHintBaseTicks, closeHintSpreadTicks });
});
