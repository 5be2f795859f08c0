// Each family of network, process and clock faults by itself: the run passes, and every kind of the
// family was injected. A family that is drawn and does nothing would show nowhere else.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { FaultKind } from "../src/fault-counts.ts";
import { type FaultOptions, familyNames } from "../src/nemesis/families.ts";
import { partitionShapes } from "../src/nemesis/partition-shapes.ts";
import type { NetworkOptions } from "../src/network/network-options.ts";
import { Run } from "../src/run.ts";

interface Case {
  readonly name: string;
  readonly members: number;
  readonly seconds: number;
  readonly network: Partial<NetworkOptions>;
  readonly faults: Partial<FaultOptions>;
  readonly kinds: readonly FaultKind[];
}

const quick = { pauseMinMs: 50, pauseMaxMs: 400 };

const cases: readonly Case[] = [
  {
    name: "cuts of every shape, one way, flapping",
    members: 5,
    seconds: 15,
    network: {},
    faults: {
      partitions: { shapes: partitionShapes, oneWay: true, flapping: true, ...quick },
    },
    kinds: [
      "network.cut",
      "network.isolate",
      "network.cut-pair",
      "network.cut-bridge",
      "network.cut-ring",
      "network.cut-one-way",
      "network.flap",
    ],
  },
  {
    name: "sends that are lost, doubled, late, damaged, cut short; links that clog",
    members: 3,
    seconds: 10,
    network: {
      lossChance: 0.05,
      duplicateChance: 0.2,
      duplicateDelayMaxUs: 60_000_000,
      lateChance: 0.02,
      lateMaxUs: 300_000,
      flipChance: 0.005,
      resetChance: 0.005,
      clogChance: 0.005,
      clogMaxUs: 1_000_000,
    },
    faults: {},
    kinds: [
      "network.loss",
      "network.duplicate",
      "network.reorder",
      "network.flip",
      "network.reset",
      "network.clog",
    ],
  },
  {
    name: "ways that are bad, far, or clogged in turn",
    members: 5,
    seconds: 12,
    network: {},
    faults: {
      badLinks: {
        trouble: ["slow", "lossy", "late", "clogging", "flipping", "resetting"],
        lengthMaxMs: 2_000,
        ...quick,
      },
      distances: {
        presets: ["room", "town", "regions"],
        tooFar: true,
        pauseMinMs: 500,
        pauseMaxMs: 2_000,
      },
      swizzles: { stepMaxMs: 200, ...quick },
    },
    kinds: [
      "network.slow-link",
      "network.lossy-link",
      "network.reorder",
      "network.flip",
      "network.reset",
      "network.distance-town",
      "network.distance-regions",
      "network.swizzle",
    ],
  },
  {
    name: "connections that come again, and strangers",
    members: 3,
    seconds: 10,
    network: {},
    faults: {
      replays: { spreadMaxMs: 20, ...quick },
      restarts: { crashLoops: true, rolling: true, pauseMinMs: 200, pauseMaxMs: 1_000 },
      strangers: quick,
    },
    kinds: [
      "network.replay",
      "network.replay-after-restart",
      "network.stranger",
      "process.crash-loop",
      "process.rolling-restart",
    ],
  },
  {
    name: "processes that stand still, and a second one on the same directory",
    members: 3,
    seconds: 40,
    network: {},
    faults: {
      pauses: {
        kinds: ["stop", "stall", "suspend"],
        lengthMaxMs: 60_000,
        pauseMinMs: 500,
        pauseMaxMs: 4_000,
      },
      doubles: { pauseMinMs: 500, pauseMaxMs: 4_000 },
    },
    kinds: [
      "process.pause",
      "process.stall",
      "process.suspend",
      "process.long-pause",
      "process.second",
    ],
  },
  {
    name: "clocks that jump and drift",
    members: 3,
    seconds: 15,
    network: {},
    faults: {
      clocks: {
        kinds: ["wall-jump", "wall-years", "wall-drift", "drift"],
        driftPpmMax: 100_000,
        ...quick,
      },
    },
    kinds: ["clock.wall-jump", "clock.wall-years", "clock.wall-drift", "clock.drift"],
  },
  {
    name: "members that come and go",
    members: 3,
    seconds: 20,
    network: {},
    faults: { membership: { healthMs: 100, ...quick } },
    kinds: ["membership.add", "membership.remove", "membership.promote"],
  },
];

for (const [number, { name, members, seconds, network, faults, kinds }] of cases.entries()) {
  test(name, () => {
    const run = new Run(9_000 + number, (options) => {
      for (const family of familyNames) options.faults[family] = null;
      Object.assign(options.faults, faults);
      Object.assign(options, {
        members,
        network,
        damage: "none",
        workload: "registers",
        clients: 2,
        electionTimeoutMs: 500,
        heartbeatIntervalMs: 50,
        safetyMs: seconds * 1000,
      });
    });
    const result = run.run();
    const missed = kinds.filter((kind) => result.faults.of(kind) === 0);
    assert.deepEqual(missed, [], "never injected");
    assert.ok(result.operations.ok > 50, `${result.operations.ok} operations`);
  });
}
