// The wheel beside a plain list that is searched whole. Goal: no call expires before its time, none later
// than a slot, none twice, none after it was taken out.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Prng } from "@quorate/base";
import { DeadlineWheel, slotMs } from "./deadline-wheel.ts";
import type { Deadline } from "./deadline-wheel.ts";

interface Waiting {
  /** When it is due, or when it was added if that was later. */
  readonly fromMs: number;
  readonly deadline: Deadline;
}

test("every deadline expires once, in its slot, unless it is taken out", () => {
  for (let seed = 1; seed <= 20; seed += 1) {
    const random = new Prng(seed);
    let nowMs = random.below(1_000_000);
    const wheel = new DeadlineWheel(nowMs);
    const waiting = new Map<number, Waiting>();
    for (let step = 0; step < 2000; step += 1) {
      const kind = random.below(4);
      if (kind < 2) {
        // Past ones, near ones, and ones that are several turns away.
        const aheadMs = random.below(10) === 0 ? random.below(60_000) : random.below(400) - 50;
        const dueMs = nowMs + aheadMs;
        const call = { expire: (): void => assert.fail("replaced below") };
        const deadline = wheel.add(call, dueMs);
        call.expire = () => {
          assert.ok(dueMs <= nowMs, "never early");
          assert.ok(waiting.delete(step), "once, and not after it was taken out");
        };
        waiting.set(step, { fromMs: Math.max(dueMs, nowMs), deadline });
      } else if (kind === 2 && waiting.size > 0) {
        const [key, { deadline }] = [...waiting][random.below(waiting.size)]!;
        wheel.remove(deadline);
        waiting.delete(key);
      } else {
        nowMs += random.below(50) === 0 ? random.below(30_000) : random.below(60);
        wheel.advance(nowMs);
        for (const { fromMs } of waiting.values()) {
          assert.ok(fromMs > nowMs - slotMs, "late by less than a slot");
        }
      }
      assert.equal(wheel.count, waiting.size);
    }
  }
});

test("a call that expires may take out another that is due with it, and add one", () => {
  const wheel = new DeadlineWheel(0);
  const told: string[] = [];
  let second: Deadline | null = null;
  wheel.add(
    {
      expire: () => {
        told.push("first");
        wheel.remove(second!);
        wheel.add({ expire: () => told.push("third") }, 0);
      },
    },
    10,
  );
  second = wheel.add({ expire: () => told.push("second") }, 10);
  wheel.advance(2 * slotMs);
  assert.deepEqual(told, ["first"]);
  wheel.advance(4 * slotMs);
  assert.deepEqual(told, ["first", "third"]);
  assert.equal(wheel.count, 0);
});
