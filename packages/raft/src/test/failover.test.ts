// Method: leaders are killed in a world of virtual ticks, from the same seeds with and without ranked
// timeouts and late answers. Goal: the time until the next leader has committed, printed as a table;
// asserted is what the two settings are for, loosely. FAILOVERS sets the kills per row.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Prng, table } from "@quorate/base";
import type { NodeId } from "../types.ts";
import type { MemberOptions } from "./member.ts";
import { TimedWorld } from "./timed-world.ts";

interface Network {
  readonly name: string;
  readonly delay: (prng: Prng, from: NodeId, to: NodeId) => number;
  readonly timeoutTicks: number;
  readonly slotTicks: number;
}

const networks: readonly Network[] = [
  {
    name: "one site",
    delay: (prng) => prng.below(2),
    timeoutTicks: 100,
    slotTicks: 5,
  },
  {
    name: "three sites",
    // 200 ms there and back, 0 to 30 ms of jitter each way.
    delay: (prng, from, to) => (from % 3 === to % 3 ? prng.below(2) : 10 + prng.below(4)),
    timeoutTicks: 150,
    slotTicks: 30,
  },
];

const modes = ["random", "random, late", "ranked", "ranked, late"] as const;
type Mode = (typeof modes)[number];

const kills = Number(process.env["FAILOVERS"] ?? 40);
const heartbeatTicks = 10;
const ticksMax = 20_000;

function failover(seed: number, voters: number, mode: Mode, network: Network): number {
  const prng = new Prng(`failover ${seed}`);
  const member: MemberOptions = {
    electionTimeoutTicks: network.timeoutTicks,
    electionTimeoutRandomizationTicks: network.timeoutTicks,
    heartbeatTicks,
    electionRankSlotTicks: mode.startsWith("ranked") ? network.slotTicks : 0,
    electionRankJitterTicks: 1,
    lateVoteAnswers: mode.endsWith("late"),
  };
  const world = new TimedWorld(prng, { voters, member, delay: network.delay });
  while (world.ruler === null && world.now < ticksMax) world.tick();
  for (let left = 5 * heartbeatTicks + prng.below(heartbeatTicks); left > 0; left--) world.tick();
  const { leader } = world;
  assert(leader !== null, "a first leader");
  world.cluster.crash(leader.id);
  const killed = world.now;
  while (world.ruler === null && world.now < ticksMax) world.tick();
  assert(world.ruler !== null, "a next leader");
  return world.now - killed;
}

interface Row {
  readonly mean: number;
  readonly sorted: readonly number[];
}

function measure(voters: number, mode: Mode, network: Network): Row {
  const times: number[] = [];
  for (let seed = 1; seed <= kills; seed++) times.push(failover(seed, voters, mode, network));
  const sorted = times.toSorted((a, b) => a - b);
  return { mean: sorted.reduce((sum, ticks) => sum + ticks, 0) / kills, sorted };
}

function quantile(row: Row, part: number): number {
  return row.sorted[Math.min(kills - 1, Math.floor(part * kills))]!;
}

for (const network of networks) {
  test(`failover in ticks of 10 ms: ${network.name}`, (t) => {
    const lines = [["voters", "timeouts", "mean", "p50", "p90", "p99", "most"]];
    for (const voters of [3, 5, 7]) {
      const rows = new Map(modes.map((mode) => [mode, measure(voters, mode, network)]));
      for (const [mode, row] of rows) {
        const parts = [0.5, 0.9, 0.99, 1].map((part) => `${quantile(row, part)}`);
        lines.push([`${voters}`, mode, row.mean.toFixed(1), ...parts]);
      }
      const [random, late, ranked, both] = modes.map((mode) => rows.get(mode)!);
      const label = `${network.name}, ${voters} voters`;
      assert(late!.mean <= random!.mean * 1.03, `${label}: late answers cost nothing`);
      assert(both!.mean <= ranked!.mean * 1.03, `${label}: nor with ranks`);
      assert(both!.mean < random!.mean * 0.95, `${label}: ranks save the random wait`);
      // T, three ways there and back, two heartbeats: the first successor, in its first round.
      const bound = network.timeoutTicks + 3 * 26 + 2 * heartbeatTicks;
      assert(quantile(both!, 0.9) <= bound, `${label}: nine of ten in one round`);
    }
    for (const line of table(lines).split("\n")) t.diagnostic(line);
  });
}
