// The breaker: when it opens, what goes while it is open, and what closes it. Method: one call after the
// other, by hand; a tick is 10 ms.
import { deepEqual, equal } from "node:assert/strict";
import { test } from "node:test";
import { StallCause } from "../status.ts";
import { Breaker } from "./breaker.ts";

const second = 100;

function breaker(): Breaker {
  return new Breaker({ bytesMax: 1000, tickMs: 10 });
}

/** As the leader does it; `lackBytes`: of what the follower lacks. */
function send(to: Breaker, bytes: number, tick: number, lackBytes: number = 10): boolean {
  if (!to.mayAppend(tick)) return false;
  if (to.sent(bytes, tick)) to.lacks(lackBytes, tick);
  return true;
}

test("after too many bytes in vain one append a second goes, until the follower gets further", () => {
  const one = breaker();
  one.matched(7);
  for (let n = 0; n < 10; n++) equal(send(one, 100, n), true);
  equal(one.status(10), null, "as much as is allowed");
  equal(send(one, 100, 10), true);
  deepEqual(one.status(15), { cause: StallCause.Bytes, ticks: 5, count: 1100, index: 7 });
  let sent = 0;
  for (let tick = 11; tick <= 10 + 10 * second; tick++) if (send(one, 100, tick)) sent++;
  equal(sent, 10);
  one.newProcess(7, 2000);
  one.matched(7);
  equal(one.status(2000)?.cause, StallCause.Bytes, "what it had is no further");
  one.matched(8);
  equal(one.status(2000), null);
  for (let n = 0; n < 10; n++) equal(send(one, 100, 2000), true);
});

test("what a process had got without a word counts; what a new one lacks again may be sent again", () => {
  const one = breaker();
  one.matched(7);
  for (let n = 0; n < 11; n++) send(one, 100, n);
  one.newProcess(8, 20);
  equal(one.status(20), null, "further than any before");
  for (let n = 0; n < 11; n++) send(one, 100, 20);
  one.newProcess(7, 30);
  one.newProcess(8, 30);
  equal(one.status(30)?.cause, StallCause.Bytes, "as far as one before");
  // Its log says 8 and has lost what is behind 3.
  one.refused(4, 40);
  one.matched(4);
  equal(one.status(40), null, "it has got further than where it was found");
});

test("who lacks much may be sent four times as much; what it lacks may grow meanwhile", () => {
  const one = breaker();
  for (let n = 0; n < 40; n++) equal(send(one, 100, n, 1000), true);
  equal(one.status(40), null);
  send(one, 100, 41, 1100);
  equal(one.status(42), null);
  for (let n = 0; n < 4; n++) send(one, 100, 43, 1100);
  equal(one.status(44)?.count, 4500);
});

test("a hundred refusals within ten seconds open it; those that find something out do not count", () => {
  const one = breaker();
  for (let next = 500; next > 300; next--) one.refused(next, 0);
  equal(one.status(0), null, "each was lower than the one before");
  for (let n = 0; n < 99; n++) one.refused(301, n);
  equal(one.status(99), null);
  one.refused(301, 10 * second + 1);
  equal(one.status(10 * second + 1), null, "the first are forgotten");
  for (let n = 0; n < 99; n++) one.refused(301, 10 * second + 2);
  deepEqual(one.status(20 * second + 2), {
    cause: StallCause.Refusals,
    ticks: 10 * second,
    count: 100,
    index: 0,
  });
  equal(send(one, 0, 20 * second), true);
  equal(send(one, 0, 20 * second + 1), false, "empty appends wait as well");
  one.matched(1);
  equal(send(one, 0, 20 * second + 1), true);
});

test("snapshots wait twice as long each time, five minutes at most, ten seconds for a new process", () => {
  const one = breaker();
  const waits: number[] = [];
  let tick = 0;
  for (let n = 0; n < 11; n++) {
    one.snapshotSent(50, tick);
    const from = tick;
    while (!one.maySendSnapshot(tick)) tick++;
    waits.push((tick - from) / second);
  }
  deepEqual(waits, [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]);
  equal(one.status(tick)?.cause, StallCause.Snapshots);
  equal(one.status(tick)?.count, 11);
  equal(send(one, 0, tick) && send(one, 0, tick), true, "appends do not wait");
  one.snapshotSent(50, tick);
  one.newProcess(0, tick);
  equal(one.maySendSnapshot(tick + 10 * second - 1), false);
  equal(one.maySendSnapshot(tick + 10 * second), true);
});

test("a snapshot that is installed is forgiven, also to a follower that had more before", () => {
  const one = breaker();
  one.matched(60);
  for (let n = 0; n < 3; n++) one.snapshotSent(50, 0);
  equal(one.status(3 * second)?.ticks, 3 * second);
  one.matched(49);
  equal(one.maySendSnapshot(0), false);
  one.matched(50);
  equal(one.maySendSnapshot(0), true);
  equal(one.status(0), null);
});
