// Clocks of a simulated machine: they advance with the world, drift and step as told, never by themselves.
import assert from "node:assert/strict";
import { test } from "node:test";
import { SimClock, wallStartMs } from "./sim-clock.ts";
import { World } from "./world.ts";

test("the monotonic clock starts at its origin and follows virtual time", () => {
  const world = new World(1);
  const clock = new SimClock(world, 500, 0, 0);
  assert.equal(clock.monotonicMs(), 500);
  world.runFor(12.5);
  assert.equal(clock.monotonicMs(), 512.5);
});

test("drift changes the rate from now on and never takes time back", () => {
  const world = new World(1);
  const clock = new SimClock(world, 0, 0, 0);
  world.runFor(1000);
  clock.setDrift(100_000);
  assert.equal(clock.monotonicMs(), 1000);
  world.runFor(1000);
  assert.equal(Math.round(clock.monotonicMs()), 2100);
  clock.setDrift(-500_000);
  assert.equal(Math.round(clock.monotonicMs()), 2100);
  world.runFor(1000);
  assert.equal(Math.round(clock.monotonicMs()), 2600);
  assert.equal(clock.worldUs(1), 2000);
});

test("the wall clock jumps without touching the monotonic one", () => {
  const world = new World(1);
  const clock = new SimClock(world, 0, 0, -50);
  world.runFor(100);
  assert.equal(clock.wallMs(), wallStartMs + 50);
  clock.jumpWall(-3_600_000);
  assert.equal(clock.wallMs(), wallStartMs + 50 - 3_600_000);
  assert.equal(clock.monotonicMs(), 100);
});

test("a wall clock drifts by itself: the monotonic one does not", () => {
  const world = new World(1);
  const clock = new SimClock(world, 0, 0, 0);
  clock.setWallDrift(500_000);
  world.runFor(1000);
  assert.equal(clock.wallMs(), wallStartMs + 1500);
  assert.equal(clock.monotonicMs(), 1000);
  clock.setWallDrift(-500_000);
  world.runFor(1000);
  assert.equal(clock.wallMs(), wallStartMs + 2000);
});

test("a wall clock jumps by years, and is never set before 1970 or beyond 2262", () => {
  const world = new World(1);
  const clock = new SimClock(world, 0, 0, 0);
  clock.jumpWall(-200 * 31_556_952_000);
  assert.equal(clock.wallMs(), 0);
  clock.jumpWall(1000 * 31_556_952_000);
  assert.equal(clock.wallMs(), Math.floor(2 ** 63 / 1e6));
});

test("suspended: monotonic time stands still, the wall clock goes on, and both go on after", () => {
  const world = new World(1);
  const clock = new SimClock(world, 0, 0, 0);
  world.runFor(100);
  clock.suspend();
  world.runFor(1000);
  assert.equal(clock.monotonicMs(), 100);
  assert.equal(clock.wallMs(), wallStartMs + 1100);
  clock.wake();
  world.runFor(10);
  assert.equal(clock.monotonicMs(), 110);
  assert.equal(clock.wallMs(), wallStartMs + 1110);
});

test("the highest reading is that of any moment so far, counted on by the fastest clock", () => {
  const world = new World(1);
  const clock = new SimClock(world, 0, 0, 0);
  world.runFor(1000);
  assert.equal(Math.round(clock.highestWallMs()), wallStartMs + 1100);
  clock.jumpWall(5_000);
  assert.equal(Math.round(clock.highestWallMs()), wallStartMs + 6_000);
  clock.jumpWall(-3_000_000);
  world.runFor(1000);
  assert.equal(Math.round(clock.highestWallMs()), wallStartMs + 7_100);
  clock.setWallDrift(500_000);
  assert.ok(clock.wallMs() < clock.highestWallMs());
});
