// The pace of a snapshot: up to what is configured while ticks come in time, down to the floor while they
// are late. Method: a clock by hand.
import { equal, ok } from "node:assert/strict";
import { test } from "node:test";
import { SnapshotPace } from "./snapshot-pace.ts";

const mebibyte = 1_048_576;
const chunkBytes = 262_144;
const tickMs = 10;

class Bench {
  readonly pace: SnapshotPace;
  nowMs = 5;

  constructor(bytesPerSecondMax: number) {
    this.pace = new SnapshotPace(bytesPerSecondMax, tickMs, chunkBytes, this.nowMs);
  }

  /** What left in so many ticks, `gapMs` apart. */
  run(ticks: number, gapMs: number = tickMs): number {
    let bytes = 0;
    for (let n = 0; n < ticks; n++) {
      this.nowMs += gapMs;
      this.pace.tick(this.nowMs);
      while (this.pace.take(chunkBytes)) bytes += chunkBytes;
    }
    return bytes;
  }

  get mibPerSecond(): number {
    return this.pace.bytesPerSecond / mebibyte;
  }
}

test("begins at the floor, rises to what is configured, and sends as much", () => {
  const bench = new Bench(64 * mebibyte);
  equal(bench.mibPerSecond, 16);
  const first = bench.run(100);
  ok(first > 16 * mebibyte && first < 26 * mebibyte, `${first}`);
  bench.run(400);
  equal(bench.mibPerSecond, 64);
  const second = bench.run(100);
  ok(Math.abs(second - 64 * mebibyte) <= mebibyte, `${second}`);
});

test("halves when a tick comes late, stays at the floor while they all do, and rises again", () => {
  const bench = new Bench(64 * mebibyte);
  bench.run(600);
  bench.run(1, 21);
  equal(bench.mibPerSecond, 32);
  bench.run(1, 20);
  ok(bench.mibPerSecond > 32, "a tick of twice its length is not late");
  bench.run(10, 35);
  equal(bench.mibPerSecond, 16);
  const sent = bench.run(40, 25);
  ok(Math.abs(sent - 16 * mebibyte) <= mebibyte, `${sent}`);
  bench.run(100);
  ok(bench.mibPerSecond > 25);
});

test("what is configured may be less than the floor; a chunk goes at any pace", () => {
  const bench = new Bench(mebibyte / 8);
  equal(bench.mibPerSecond, 1 / 8);
  bench.run(1000);
  equal(bench.mibPerSecond, 1 / 8);
  const sent = bench.run(800);
  ok(Math.abs(sent - mebibyte) <= chunkBytes, `${sent}`);
});

test("a long pause gives no more than a burst", () => {
  const bench = new Bench(64 * mebibyte);
  bench.run(600);
  ok(bench.run(1, 60_000) <= mebibyte);
});
