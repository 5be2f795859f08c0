// Rows that are held are those of the moment they were held at, whatever happens to the store later; and
// nothing of them is left once they are let go. Method: a twin says which rows were needed then.
import test from "node:test";
import { deepStrictEqual as deepEqual, match, ok, strictEqual as equal } from "node:assert";
import { must, Prng } from "@quorate/base";
import type { Row } from "@quorate/kv";
import type { ScrubFinding } from "../scrub/scrub-api.ts";
import { RowsDamaged } from "../storage-api.ts";
import type { RowWalk } from "../storage-api.ts";
import { MemoryDisk } from "../testing/memory-disk.ts";
import { StorageDriver } from "../testing/storage-driver.ts";
import { nameOf, neededRows, sameRow } from "../testing/storage-twin.ts";
import { openMemberNow, opened, smallOptions, testDirectory } from "../testing/test-member.ts";

const shape = { keys: 30, valueBytes: 200 };

function driverOf(seed: number): StorageDriver {
  const options = { ...smallOptions, reclaimBytesPerSecond: 10_000_000 };
  const driver = new StorageDriver(new MemoryDisk(seed), shape, options, seed);
  driver.start();
  return driver;
}

function take(walk: RowWalk, count: number): Row[] {
  const rows: Row[] = [];
  while (rows.length < count) {
    const row = walk.next();
    if (row === null) break;
    ok(!(row instanceof RowsDamaged));
    rows.push(row);
  }
  return rows;
}

function rowFiles(driver: StorageDriver): string[] {
  return driver.disk.listNow(testDirectory)!.filter((name) => name.startsWith("rows-"));
}

function checkEqual(found: readonly Row[], needed: ReadonlyMap<string, Row>): void {
  const inOrder = [...needed.values()].sort((a, b) => a.main - b.main || a.sub - b.sub);
  deepEqual(found.map(nameOf), inOrder.map(nameOf));
  for (const row of found) ok(sameRow(row, must(needed.get(nameOf(row)), "a needed row")));
}

test("held rows stay as they were while others are put, die, are saved and reclaimed", () => {
  for (let seed = 1; seed <= 12; seed++) {
    const random = new Prng(`held rows ${seed}`);
    const driver = driverOf(seed);
    driver.put(60 + random.below(200));
    if (random.below(3) > 0) driver.checkpoint();
    driver.compactTo(random.below(driver.applied));
    if (random.below(2) > 0) driver.put(driver.applied + 1 + random.below(100));
    const needed = neededRows(driver.applied, driver.compact, shape);
    const held = must(driver.storage.holdRows(), "the rows are whole");
    const walk = held.walk();
    const found: Row[] = [];
    for (let left = 8; left > 0; left--) {
      found.push(...take(walk, random.below(40)));
      driver.put(driver.applied + 1 + random.below(60));
      driver.compactTo(driver.compact + random.below(driver.applied - driver.compact + 1));
      driver.checkpoint();
      driver.tickFor(300);
    }
    found.push(...take(walk, 10_000));
    checkEqual(found, needed);
    checkEqual(take(held.walk(), 10_000), needed);
    driver.check();
    held.release();
    driver.tickFor(2000);
    equal(rowFiles(driver).length, driver.storage.usage().rowSegments, "what was held is gone");
  }
});

test("a snapshot that is installed meanwhile does not change them, unsaved ones included", () => {
  const sender = driverOf(40);
  sender.put(100);
  sender.checkpoint();
  const source = must(sender.storage.pin(), "a checkpoint is in force");
  const driver = driverOf(41);
  driver.put(50);
  driver.checkpoint();
  driver.put(80);
  const needed = neededRows(80, 0, shape);
  const held = must(driver.storage.holdRows(), "the rows are whole");
  const walk = held.walk();
  const found = take(walk, 20);
  driver.receive(source, 5000);
  checkEqual([...found, ...take(walk, 10_000)], needed);
  held.release();
  driver.tickFor(100);
  equal(rowFiles(driver).length, driver.storage.usage().rowSegments);
});

test("a damaged row is an answer; it is told as damage of the state only while it is in force", () => {
  for (const replaced of [false, true]) {
    const driver = driverOf(50);
    const findings: ScrubFinding[] = [];
    driver.storage.onScrubFinding((finding) => findings.push(finding));
    driver.put(40);
    driver.checkpoint();
    const [name] = rowFiles(driver);
    const held = must(driver.storage.holdRows(), "the rows are whole");
    if (replaced) {
      driver.compactTo(40);
      driver.put(200);
      driver.checkpoint();
      driver.compactTo(200);
      driver.checkpoint();
      driver.tickFor(2000);
    }
    driver.disk.content(`${testDirectory}/${name}`)[300]! ^= 1;
    const walk = held.walk();
    let row = walk.next();
    while (row !== null && !(row instanceof RowsDamaged)) row = walk.next();
    match(must(row, "damage").where, /rows-[0-9a-f]+: offset [0-9]+: CRC [0-9a-f]+, want/);
    equal(findings.length, replaced ? 0 : 1);
    held.release();
  }
});

test("nothing is held before the scan has verified it", () => {
  const disk = new MemoryDisk(4);
  const driver = new StorageDriver(disk, shape, smallOptions, 4);
  driver.start();
  driver.put(30);
  driver.checkpoint();
  disk.kill();
  equal(opened(openMemberNow(disk, 5)).storage.holdRows(), null);
});
