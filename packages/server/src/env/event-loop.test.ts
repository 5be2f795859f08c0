// Ticks by virtual time: how many a wake-up brings, and what is a stall.
import { deepEqual, equal } from "node:assert/strict";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { startTicks } from "./event-loop.ts";

/** Wakes the loop after each of the gaps, ms; says how many ticks came each time, and the stalls. */
function wake(
  t: TestContext,
  heartbeatIntervalMs: number,
  gaps: readonly number[],
): { readonly ticks: number[]; readonly stalls: number[]; readonly stallMaxMs: number } {
  t.mock.timers.enable({ apis: ["setInterval"] });
  const ticks: number[] = [];
  const stalls: number[] = [];
  const wakeMs = heartbeatIntervalMs < 40 ? 10 : 20;
  let now = 1000;
  const loop = startTicks(
    { tickMs: 10, heartbeatIntervalMs },
    (count) => ticks.push(count),
    (ms) => stalls.push(ms),
    () => now,
  );
  for (const gap of gaps) {
    now += gap;
    t.mock.timers.tick(wakeMs);
  }
  loop.stop();
  t.mock.timers.tick(1000);
  return { ticks, stalls, stallMaxMs: loop.stallMaxMs };
}

test("two ticks with every wake-up; one where heartbeats are short", (t) => {
  deepEqual(wake(t, 100, [20, 20, 20]).ticks, [2, 2, 2]);
  t.mock.timers.reset();
  deepEqual(wake(t, 40, [20, 20]).ticks, [2, 2]);
  t.mock.timers.reset();
  deepEqual(wake(t, 39, [10, 10, 10]).ticks, [1, 1, 1]);
});

test("what a wake-up comes late or early is not lost", (t) => {
  const { ticks, stallMaxMs } = wake(t, 100, [25, 25, 12, 8, 30]);
  deepEqual(ticks, [2, 3, 1, 1, 3]);
  equal(stallMaxMs, 0);
});

test("after a stall a few ticks at most: a paused process has not waited", (t) => {
  const { ticks, stalls, stallMaxMs } = wake(t, 100, [20, 5000, 20, 45]);
  deepEqual(ticks, [2, 5, 3, 4]);
  deepEqual(stalls, [4980]);
  equal(stallMaxMs, 4980);
});
