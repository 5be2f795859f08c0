// Method: leaders are killed in a world of virtual ticks, from the same seeds with and without ranked
// timeouts and late answers; the whole machine, or the process alone (P6). Goal: the time until the
// next leader has committed, printed as a table; asserted is what the two settings and the close hint
// are for, loosely. FAILOVERS sets the kills per row.
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
type Death = "machine" | "process";

const kills = Number(process.env["FAILOVERS"] ?? 40);
const heartbeatTicks = 10;
const ticksMax = 20_000;

interface Kill {
  readonly voters: number;
  readonly mode: Mode;
  readonly network: Network;
  readonly dies: Death;
}

function failover(seed: number, { voters, mode, network, dies }: Kill): number {
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
  if (dies === "machine") world.cluster.crash(leader.id);
  else world.killProcess(leader.id);
  const killed = world.now;
  while (world.ruler === null && world.now < ticksMax) world.tick();
  assert(world.ruler !== null, "a next leader");
  return world.now - killed;
}

interface Row {
  readonly mean: number;
  readonly sorted: readonly number[];
}

function measure(kill: Kill): Row {
  const times: number[] = [];
  for (let seed = 1; seed <= kills; seed++) times.push(failover(seed, kill));
  const sorted = times.toSorted((a, b) => a - b);
  return { mean: sorted.reduce((sum, ticks) => sum + ticks, 0) / kills, sorted };
}

function cells(row: Row): string[] {
  const parts = [0.5, 0.9, 0.99, 1].map((part) => `${quantile(row, part)}`);
  return [row.mean.toFixed(1), ...parts];
}

function quantile(row: Row, part: number): number {
  return row.sorted[Math.min(kills - 1, Math.floor(part * kills))]!;
}

for (const network of networks) {
  test(`failover in ticks of 10 ms: ${network.name}`, (t) => {
    const lines = [["voters", "timeouts", "mean", "p50", "p90", "p99", "most"]];
    for (const voters of [3, 5, 7]) {
      const dies: Death = "machine";
      const rows = new Map(modes.map((mode) => [mode, measure({ voters, mode, network, dies })]));
      for (const [mode, row] of rows) lines.push([`${voters}`, mode, ...cells(row)]);
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

for (const network of networks) {
  test(`failover when the process alone dies, in ticks of 10 ms: ${network.name}`, (t) => {
    const lines = [["voters", "timeouts", "mean", "p50", "p90", "p99", "most"]];
    for (const voters of [3, 5, 7]) {
      for (const mode of modes) {
        const row = measure({ voters, mode, network, dies: "process" });
        lines.push([`${voters}`, mode, ...cells(row)]);
        const label = `${network.name}, ${voters} voters, ${mode}`;
        assert(row.mean < network.timeoutTicks, `${label}: no election timeout is waited for`);
        if (mode !== "ranked, late") continue;
        // Three ways of evidence, 70 ms, three ways there and back: one candidate.
        const way = network.delay({ below: (n: number) => n - 1 } as Prng, 1, 2);
        assert(row.sorted.at(-1)! <= 7 + 9 * way + 2, `${label}: in one round`);
      }
    }
    for (const line of table(lines).split("\n")) t.diagnostic(line);
  });
}
