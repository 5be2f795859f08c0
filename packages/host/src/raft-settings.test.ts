// Settings in milliseconds become ticks of the configured length.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Entry, HardState, raftDefaults } from "@quorate/raft";
import { closeHintTicks, knownHardState } from "./raft-settings.ts";

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

test("what is committed behind lost entries is not said before they have come again", () => {
  const entries = [6, 7].map((index) => new Entry(2, index, 16, 1, 0, new Uint8Array(0)));
  const recovered = {
    hardState: new HardState(3, 1, 9),
    checkpoint: null,
    lost: null,
    entries,
    logStartIndex: 5,
    logStartTerm: 2,
    promised: null,
    behind: [],
    names: [],
    peers: [],
  };
  assert.deepEqual(knownHardState(recovered), new HardState(3, 1, 9));
  const holed = { ...recovered, promised: { index: 10, term: 2 } };
  assert.deepEqual(knownHardState(holed), new HardState(3, 1, 7));
});
