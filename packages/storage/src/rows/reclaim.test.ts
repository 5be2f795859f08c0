// Reclaiming gives room back and never takes a row that replay may read. Scenarios on one member.
import test from "node:test";
import { deepStrictEqual as deepEqual, ok, strictEqual as equal, throws } from "node:assert";
import { MemoryDisk } from "../testing/memory-disk.ts";
import { StorageDriver } from "../testing/storage-driver.ts";
import { rowsOf } from "../testing/storage-twin.ts";
import {
  appendEntriesNow,
  checkpointNow,
  opened,
  openMemberNow,
  scanAll,
  smallOptions,
  testRow,
} from "../testing/test-member.ts";
import type { OpenedMember } from "../testing/test-member.ts";
import { DeadRows } from "./dead-rows.ts";
import { planReclaim } from "./reclaim-plan.ts";
import { RowSegment } from "./row-segment.ts";

const shape = { keys: 40, valueBytes: 200 };

function member(seed: number, reclaimBytesPerSecond: number = 10_000_000): StorageDriver {
  const options = { ...smallOptions, rowSegmentBytes: 16_384, reclaimBytesPerSecond };
  return new StorageDriver(new MemoryDisk(seed), shape, options, seed);
}

function marks(driver: StorageDriver, mark: string): number {
  return driver.env.marks.filter((name) => name === mark).length;
}

test("P9: a row that died after the checkpoint in force was captured survives the rewriting", () => {
  for (let seed = 1; seed <= 20; seed++) {
    const driver = member(seed);
    driver.start();
    driver.put(200);
    driver.compactTo(150);
    driver.checkpoint();
    // Compact(R) applied at j, newest checkpoint i < j, a crash: replay from i reads what R drops.
    driver.compactTo(200);
    driver.tickFor(500);
    ok(marks(driver, "reclaim.in-force") > 0, "something was rewritten");
    driver.disk.powerLoss();
    driver.start();
    driver.check();
  }
});

/** 200 rows, of which each `every`-th is left alive when the checkpoint at 200 is captured. */
function thinnedMember(every: number): { member: OpenedMember; refs: number[] } {
  const options = { ...smallOptions, rowSegmentBytes: 16_384, reclaimBytesPerSecond: 20_000 };
  const member = opened(openMemberNow(new MemoryDisk(8), 8, options));
  scanAll(member.storage);
  appendEntriesNow(member, 1, 300);
  const refs: number[] = [];
  for (let main = 1; main <= 200; main++) {
    refs.push(member.storage.rows.append(testRow(main, 0, `key ${main}`, "v".repeat(150))));
  }
  refs.forEach((ref, i) => {
    if (i % every !== 0) member.storage.rows.dead(ref);
  });
  checkpointNow(member, 200, "thinned");
  return { member, refs };
}

function tickUntil(member: OpenedMember, done: () => boolean): void {
  for (let i = 0; i < 10_000 && !done(); i++) {
    member.env.nowMs += 10;
    member.storage.tick(false);
    member.env.run();
  }
}

test("rows that die while their segment is rewritten are known to be dead in the new one", () => {
  const { member, refs } = thinnedMember(3);
  const { env, storage } = member;
  const before = new Set(env.disk.listNow("/data"));
  const begun = (): boolean => env.disk.listNow("/data")!.some((name) => !before.has(name));
  tickUntil(member, begun);
  ok(begun() && !env.marks.includes("reclaim.in-force"), "a rewriting has begun and goes on");
  for (const ref of refs.slice(0, 190)) storage.rows.dead(ref);
  tickUntil(member, () => env.marks.includes("reclaim.in-force"));
  equal(storage.rows.read(refs[0]!).main, 1, "what died after the capture is still there");
  // Only the next checkpoint lets them go.
  const rewritten = (): number => env.marks.filter((mark) => mark === "reclaim.in-force").length;
  checkpointNow(member, 201, "later");
  tickUntil(member, () => rewritten() === 2);
  equal(storage.usage().rowBytes, 4096);
  throws(() => storage.rows.read(refs[3]!), /reclaimed/);
  equal(storage.rows.read(refs[195]!).main, 196);
});

test("a walk stands in the middle of a segment that is rewritten: it misses nothing", () => {
  const { member, refs } = thinnedMember(3);
  const { env, storage } = member;
  const cursor = storage.rows.cursorFrom(1);
  const seen: number[] = [];
  for (let i = 0; i < 50; i++) seen.push(cursor.next()!.main);
  tickUntil(member, () => env.marks.includes("reclaim.in-force"));
  ok(env.marks.includes("reclaim.in-force"));
  for (let row = cursor.next(); row !== null; row = cursor.next()) {
    seen.push(row.main);
    equal(cursor.ref(), refs[row.main - 1]);
  }
  deepEqual(
    seen,
    refs.map((_, i) => i + 1).filter((main) => main <= 50 || seen.includes(main)),
  );
  for (let main = 1; main <= 200; main += 3) ok(seen.includes(main), `${main} is seen`);
  ok(!seen.includes(150), "what was dropped behind the walk is not read any more");
});

test("rows keep their refs through any number of rewritings", () => {
  const driver = member(3);
  driver.start();
  driver.put(300);
  const first = rowsOf(300, shape)[0]!;
  const ref = driver.refs.get("300.0")!;
  for (let compact = 100; compact <= 299; compact += 33) {
    driver.compactTo(compact);
    driver.checkpoint();
    driver.tickFor(300);
    deepEqual(driver.storage.rows.read(ref), first);
    driver.check(compact);
  }
  ok(marks(driver, "reclaim.in-force") >= 3, "rewritten again and again");
  throws(() => driver.storage.rows.read(0), /reclaimed/, "a dropped row is not read");
});

test("a walk goes on through rewriting and dropping, and sees what is appended", () => {
  const driver = member(4);
  driver.start();
  driver.put(300);
  driver.checkpoint();
  const cursor = driver.storage.rows.cursorFrom(1);
  const seen: number[] = [];
  const walk = (rows: number): void => {
    for (let i = 0; i < rows; i++) {
      const row = cursor.next();
      if (row === null) return;
      seen.push(row.main);
    }
  };
  walk(40);
  driver.compactTo(250);
  driver.checkpoint();
  walk(3);
  driver.tickFor(1000);
  ok(marks(driver, "reclaim.in-force") + marks(driver, "reclaim.dropped") > 0, "reclaimed");
  walk(5);
  driver.put(310);
  driver.checkpoint();
  walk(1000);
  equal(cursor.next(), null);
  driver.put(311);
  equal(cursor.next()!.main, 311);
  for (let main = 251; main <= 310; main++) ok(seen.includes(main), `${main} was seen`);
  deepEqual(
    seen,
    seen.toSorted((a, b) => a - b),
  );
});

test("a pinned checkpoint keeps its files and bytes while everything else moves on", () => {
  const driver = member(5);
  driver.start();
  driver.put(200);
  driver.checkpoint();
  const source = driver.storage.pin()!;
  const read = (): Uint8Array[] =>
    source.files.map(({ bytes }, file) => source.readNow(file, 0, bytes));
  const before = read();
  driver.compactTo(195);
  driver.put(260);
  driver.checkpoint();
  driver.tickFor(1000);
  ok(marks(driver, "reclaim.dropped") > 0, "segments were dropped");
  deepEqual(read(), before);
  const names = (): string[] => driver.disk.listNow("/data")!.filter((n) => /^(rows|tab)/.test(n));
  const held = names().length;
  source.release();
  driver.tickFor(10);
  ok(names().length < held, "released files go");
  source.release();
});

test("what one tick writes is bounded by the budget", () => {
  const driver = member(6, 50_000);
  driver.start();
  driver.put(400);
  driver.compactTo(200);
  driver.checkpoint();
  let last = driver.storage.usage().bytesWritten;
  let longest = 0;
  for (let i = 0; i < 300; i++) {
    driver.tickFor(10);
    const now = driver.storage.usage().bytesWritten;
    longest = Math.max(longest, now - last);
    last = now;
  }
  ok(marks(driver, "reclaim.in-force") > 0, "something was rewritten");
  // 500 bytes a tick, one row beyond it, the padding, and two manifests at the end.
  ok(longest <= 500 + 600 + 3 * 4096, `${longest} bytes in one tick`);
});

function segmentOf(rows: number, rowBytes: number, firstRef: number): RowSegment {
  const segment = new RowSegment(`rows-${firstRef}`, 1, 1, firstRef + 1, firstRef);
  segment.bytes = 64;
  for (let i = 0; i < rows; i++) {
    segment.took(segment.bytes, rowBytes, firstRef + i + 1);
    segment.bytes += rowBytes;
  }
  segment.bytes = Math.ceil(segment.bytes / 4096) * 4096;
  segment.savedBytes = segment.bytes;
  segment.sealed = true;
  segment.sealedInForce = true;
  return segment;
}

function kill(segment: RowSegment, rows: number, capture: number): void {
  for (let i = 0; i < rows; i++) segment.dead.mark(i, segment.boundAt(i), capture, 1);
}

test("plan: nothing to gain, nothing done", () => {
  const full = 65_536;
  const whole = segmentOf(600, 100, 0);
  const third = segmentOf(600, 100, 600);
  kill(third, 200, 0);
  const tiny = segmentOf(1, 100, 1200);
  deepEqual(planReclaim([whole, third, tiny], 1, full), { drop: [], merge: [] });
});

test("plan: wholly dead ones go first; what died after the checkpoint counts as alive", () => {
  const full = 65_536;
  const dead = segmentOf(600, 100, 0);
  kill(dead, 600, 0);
  const half = segmentOf(600, 100, 600);
  kill(half, 400, 0);
  const later = segmentOf(600, 100, 1200);
  kill(later, 600, 1);
  deepEqual(planReclaim([dead, half, later], 1, full), { drop: [dead], merge: [] });
  deepEqual(planReclaim([half, later], 1, full), { drop: [], merge: [half] });
  deepEqual(planReclaim([half, later], 2, full), { drop: [later], merge: [] });
});

test("plan: a growing or unsaved segment is never touched", () => {
  const full = 65_536;
  const growing = segmentOf(600, 100, 0);
  growing.sealedInForce = false;
  kill(growing, 600, 0);
  const unsaved = segmentOf(600, 100, 600);
  unsaved.savedBytes = 4096;
  kill(unsaved, 600, 0);
  deepEqual(planReclaim([growing, unsaved], 1, full), { drop: [], merge: [] });
});

test("plan: four small neighbours become one, three stay; padding counts as dead", () => {
  const full = 65_536;
  const small = [0, 1, 2, 3].map((i) => segmentOf(3, 1000, 10 * i));
  deepEqual(planReclaim(small, 1, full).merge, small);
  deepEqual(planReclaim(small.slice(1), 1, full).merge, []);
  const padded = segmentOf(1, 100, 100);
  padded.bytes = 40_960;
  padded.savedBytes = 40_960;
  deepEqual(planReclaim([padded], 1, full).merge, [padded]);
});

test("plan: a merged segment stays within the size", () => {
  const full = 65_536;
  const segments = [0, 1, 2, 3, 4, 5].map((i) => {
    const segment = segmentOf(600, 100, 600 * i);
    kill(segment, 350, 0);
    return segment;
  });
  equal(planReclaim(segments, 1, full).merge.length, 2);
});

test("dead rows as of a capture: only what died before it", () => {
  const dead = new DeadRows();
  equal(dead.mark(5, 100, 1, 1), true);
  equal(dead.mark(5, 100, 1, 1), false);
  equal(dead.at(1).count, 0);
  equal(dead.at(2).count, 1);
  dead.mark(90, 50, 3, 1);
  deepEqual(
    [1, 2, 3, 4].map((capture) => dead.at(capture).bytes),
    [0, 100, 100, 150],
  );
  equal(dead.at(3).has(5), true);
  equal(dead.at(3).has(90), false);
  equal(dead.has(90), true);
  dead.mark(91, 50, 5, 3);
  equal(dead.at(3).count, 1, "the view of the capture in force is kept");
  equal(dead.at(5).count, 2);
  equal(dead.count, 3);
});
