// Settings in milliseconds become ticks of the configured length.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Entry, HardState, raftDefaults } from "@quorate/raft";
import { GenesisState } from "@quorate/storage";
import type { DataDirectory, Env } from "@quorate/storage";
import { hostDefaults } from "./host-api.ts";
import type { HostConfig } from "./host-api.ts";
import { closeHintTicks, knownHardState, raftConfig } from "./raft-settings.ts";

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

test("P5: quiet is who has taken part, unless it is the only voter itself", () => {
  const env = { random: { fork: () => ({ below: () => 0 }) } } as unknown as Env;
  const config = hostDefaults as unknown as HostConfig;
  const quiet = (voters: number[], fresh: boolean = false): boolean => {
    const directory = { raftId: 1, fresh, genesisState: GenesisState.Started };
    return raftConfig(env, config, directory as unknown as DataDirectory, 7, voters).quiet;
  };
  assert.equal(quiet([1]), false);
  assert.equal(quiet([1, 2]), true);
  assert.equal(quiet([2]), true, "a learner of a single voter (seed 494)");
  assert.equal(quiet([1, 2], true), false);
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
