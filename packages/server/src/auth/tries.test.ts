// How often passwords may be tried: per address, per user, and a user at an address that keeps failing;
// and that nobody can lock out others. Method: tries at times by hand.
import { equal, ok } from "node:assert/strict";
import { test } from "node:test";
import { Tries } from "./tries.ts";

test("an address has 100 tries at once and 50 a second, whatever users it names", () => {
  const tries = new Tries();
  let taken = 0;
  for (let at = 0; at < 200; at += 1) if (tries.take(`u${at}`, "a", 0)) taken += 1;
  equal(taken, 100);
  ok(!tries.take("v", "a", 10));
  ok(tries.take("v", "a", 20), "one in 20 ms");
  ok(tries.take("v", "b", 10), "another address");
});

test("a user may fail ten times at once and five times a second, from all addresses together", () => {
  const tries = new Tries();
  const fail = (nowMs: number, from: number): boolean => {
    if (!tries.take("u", `a${from}`, nowMs)) return false;
    tries.failed("u", `a${from}`, nowMs);
    return true;
  };
  let failed = 0;
  for (let at = 0; at < 100; at += 1) if (fail(0, at)) failed += 1;
  equal(failed, 10);
  for (let nowMs = 200; nowMs <= 2000; nowMs += 20) if (fail(nowMs, 1000 + nowMs)) failed += 1;
  equal(failed, 20);
  ok(tries.take("other", "a1", 2000));
});

test("who keeps failing at an address waits there, twice as long each time, a minute at most", () => {
  const tries = new Tries();
  let nowMs = 0;
  const waits: number[] = [];
  for (let at = 0; at < 20; at += 1) {
    const beganMs = nowMs;
    while (!tries.take("u", "a", nowMs)) nowMs += 250;
    waits.push(nowMs - beganMs);
    tries.failed("u", "a", nowMs);
  }
  ok(
    waits.slice(0, 10).every((ms) => ms === 0),
    waits.join(),
  );
  equal(waits[10], 1000);
  equal(waits[11], 2000);
  equal(waits[15], 32_000);
  equal(waits[19], 60_000);
  nowMs += 1_000_000;
  ok(tries.take("u", "a", nowMs));
  tries.failed("u", "a", nowMs);
  ok(tries.take("u", "a", nowMs), "it was long ago");
});

test("a user that has come in from an address comes in there although others fail in its name", () => {
  const tries = new Tries();
  ok(tries.take("u", "home", 0));
  tries.succeeded("u", "home", 0);
  for (let at = 0; at < 100; at += 1) {
    if (tries.take("u", `away${at}`, 1)) tries.failed("u", `away${at}`, 1);
  }
  ok(!tries.take("u", "new", 1));
  for (let at = 0; at < 40; at += 1) {
    ok(tries.take("u", "home", 1));
    tries.succeeded("u", "home", 1);
  }
});

test("what is remembered is bounded", () => {
  const tries = new Tries();
  for (let at = 0; at < 30_000; at += 1) tries.failed(`u${at}`, `a${at}`, 0);
  for (let at = 0; at < 10; at += 1) tries.failed("last", "a", 0);
  ok(!tries.take("last", "a", 0));
  ok(tries.take("u0", "a0", 0));
});
