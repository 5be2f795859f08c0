// What the journal is told of stalls: rows of what the clocks show between two ticks.
import { deepEqual } from "node:assert/strict";
import { test } from "node:test";
import { type HostConfig, hostDefaults } from "./host-api.ts";
import { JournalKind } from "./journal.ts";
import { Stalls } from "./stalls.ts";

interface World {
  monotonicMs: number;
  wallMs: number;
  readonly told: [JournalKind, number][];
  readonly stalls: Stalls;
}

function makeWorld(): World {
  const clocks = { monotonicMs: 5_000, wallMs: 1_000_000 };
  const told: [JournalKind, number][] = [];
  const clock = { monotonicMs: () => clocks.monotonicMs, wallMs: () => clocks.wallMs };
  const config = { ...hostDefaults, tickMs: 10, heartbeatIntervalMs: 100, electionTimeoutMs: 1000 };
  const stalls = new Stalls(clock, config as HostConfig, (kind, ms) => told.push([kind, ms]));
  return Object.assign(clocks, { told, stalls });
}

function tick(world: World, passedMs: number, wallMs: number): void {
  world.monotonicMs += passedMs;
  world.wallMs += wallMs;
  world.stalls.tick();
}

test("a stall is told from the length of a heartbeat interval on, and how long it was", () => {
  const world = makeWorld();
  tick(world, 10, 10);
  tick(world, 109, 109);
  deepEqual(world.told, []);
  tick(world, 110, 110);
  tick(world, 3010, 3010);
  deepEqual(world.told, [
    [JournalKind.Stall, 100],
    [JournalKind.Stall, 3000],
  ]);
});

test("a step of the wall clock is told, either way; a stall of both clocks is none", () => {
  const world = makeWorld();
  tick(world, 10, 900);
  tick(world, 10, -900);
  tick(world, 10, 1010);
  tick(world, 10, -3_600_000);
  deepEqual(world.told, [
    [JournalKind.ClockStepped, 1000],
    [JournalKind.ClockStepped, -3_600_010],
  ]);
});

test("a slow batch is told, and again only after an election timeout", () => {
  const world = makeWorld();
  const batch = (ms: number): void => {
    const sinceMs = world.stalls.nowMs();
    world.monotonicMs += ms;
    world.stalls.persisted(sinceMs);
  };
  for (const ms of [99, 100, 500, 499, 200, 801]) batch(ms);
  deepEqual(world.told, [
    [JournalKind.SlowDisk, 100],
    [JournalKind.SlowDisk, 200],
  ]);
});
