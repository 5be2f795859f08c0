// Snapshots from one member to another: what arrives is checked before anything of the present state
// changes, bad bytes are an outcome, and what is thrown away leaves no file behind.
import test from "node:test";
import { deepStrictEqual as deepEqual, ok, strictEqual as equal, throws } from "node:assert";
import { must } from "@quorate/base";
import { HardState } from "@quorate/raft";
import { MemoryDisk } from "../testing/memory-disk.ts";
import { StorageDriver } from "../testing/storage-driver.ts";
import {
  openMemberNow,
  opened,
  scanAll,
  smallOptions,
  testDirectory,
  testRow,
} from "../testing/test-member.ts";
import type { ScrubFinding } from "../scrub/scrub-api.ts";
import type { SnapshotFile, SnapshotSink, SnapshotSource } from "../storage-api.ts";

const shape = { keys: 20, valueBytes: 150 };

function driverOf(seed: number): StorageDriver {
  return new StorageDriver(new MemoryDisk(seed), shape, smallOptions, seed);
}

function sender(): { driver: StorageDriver; source: SnapshotSource } {
  const driver = driverOf(1);
  driver.start();
  driver.put(120);
  driver.checkpoint();
  driver.put(150);
  driver.checkpoint();
  return { driver, source: must(driver.storage.pin(), "a checkpoint is in force") };
}

function receiver(): StorageDriver {
  const driver = driverOf(2);
  driver.start();
  driver.put(20);
  driver.checkpoint();
  return driver;
}

const { source } = sender();
const contents = source.files.map(({ bytes }, file) => source.readNow(file, 0, bytes));

function write(
  driver: StorageDriver,
  sink: SnapshotSink,
  file: number,
  offset: number,
  bytes: Uint8Array,
): void {
  let done = false;
  sink.write(file, offset, bytes, () => (done = true));
  equal(done, false, "never inside the call");
  driver.run(() => done);
}

/** The outcome of a transfer of these contents under this description. */
function transfer(
  driver: StorageDriver,
  files: readonly SnapshotFile[],
  id: number,
  bytes: readonly Uint8Array[],
): boolean {
  const sink = driver.storage.stage(files, id);
  bytes.forEach((content, file) => {
    for (let at = 0; at < content.length; at += 7000) {
      write(driver, sink, file, at, content.subarray(at, at + 7000));
    }
  });
  let outcome: boolean | null = null;
  sink.finish((ok, checkpoint) => {
    outcome = ok;
    equal(checkpoint !== null, ok);
  });
  driver.run(() => outcome !== null);
  driver.tickFor(10);
  return must(outcome as boolean | null, "an outcome");
}

test("a transfer in any piece size is accepted, installed, and can be sent on", () => {
  for (const pieceBytes of [999, 4096, 10_000, 1_000_000]) {
    const driver = receiver();
    driver.receive(source, pieceBytes);
    driver.check();
    const again = must(driver.storage.pin(), "what was installed is in force");
    equal(again.checkpoint.id, source.checkpoint.id);
    deepEqual(again.checkpoint.tables, source.checkpoint.tables);
    deepEqual(
      again.files.map(({ bytes, crc }) => [bytes, crc]),
      source.files.map(({ bytes, crc }) => [bytes, crc]),
    );
    const third = driverOf(3);
    third.start();
    third.receive(again, 5000);
    third.check();
    third.disk.powerLoss();
    third.start();
    third.check();
  }
});

test("refs, rows and walks of before an install are void", () => {
  const driver = receiver();
  const old = driver.refs.get("7.0")!;
  const cursor = driver.storage.rows.cursorFrom(1);
  equal(cursor.next()?.main, 1);
  const before = staged(driver);
  driver.storage.tick(false);
  equal(driver.storage.rows.read(old).main, 7);
  driver.receive(source, 5000);
  driver.tickFor(10);
  ok(
    staged(driver).every((name) => !before.includes(name)),
    "files of before are gone",
  );
  throws(() => driver.storage.rows.read(old), /reclaimed or never was/);
  equal(cursor.next(), null);
  ok(Math.min(...driver.refs.values()) > old, "refs go on upwards");
});

test("an installed member begins segments of its own: what it received keeps its bytes", () => {
  const driver = receiver();
  driver.receive(source, 5000);
  driver.put(160);
  driver.checkpoint();
  const pinned = must(driver.storage.pin(), "a checkpoint is in force");
  source.files.slice(0, -1).forEach(({ bytes, crc }, file) => {
    deepEqual([pinned.files[file]!.bytes, pinned.files[file]!.crc], [bytes, crc]);
    deepEqual(pinned.readNow(file, 0, bytes), contents[file]);
  });
  ok(pinned.files.length > source.files.length, "and one of its own");
});

function staged(driver: StorageDriver): string[] {
  return driver.disk.listNow("/data")!.filter((name) => /^(rows|tables)-/.test(name));
}

test("a flipped bit in any file is refused, its files are removed, the present state stays", () => {
  const driver = receiver();
  const before = staged(driver);
  contents.forEach((content, file) => {
    for (const at of [0, 20, 70, content.length >> 1, content.length - 1]) {
      const bytes = contents.slice();
      bytes[file] = content.slice();
      bytes[file][at]! ^= 8;
      equal(transfer(driver, source.files, source.checkpoint.id, bytes), false);
      deepEqual(staged(driver), before);
    }
  });
  driver.check();
  equal(transfer(driver, source.files, source.checkpoint.id, contents), true);
});

test("of a sender's own file that has rotted since it was verified nothing is read out, and it is told", () => {
  for (const at of [0, 1]) {
    const { driver, source: own } = sender();
    const file = at === 0 ? 0 : own.files.length - 1;
    const { name, bytes } = own.files[file]!;
    const found: ScrubFinding[] = [];
    driver.storage.onScrubFinding((finding) => found.push(finding));
    const read = (): number => {
      let length = 0;
      for (let from = 0; from < bytes; from += 1000) length += own.readNow(file, from, 1000).length;
      return length;
    };
    equal(read(), bytes);
    const path = `${testDirectory}/${name}`;
    driver.disk.content(path)[bytes >> 1]! ^= 8;
    ok(read() < bytes, "the part that would end the file is held back");
    const what = "its CRC is not that of the checkpoint";
    deepEqual(found, [{ part: "rows", path, offset: 0, what, unreadable: false }]);
  }
});

test("a description that does not fit is refused: id, lengths, order, too little, nothing", () => {
  const driver = receiver();
  const before = staged(driver);
  const { id } = source.checkpoint;
  const { files } = source;
  const refuse = (list: readonly SnapshotFile[], listId: number, bytes: Uint8Array[]): void => {
    equal(transfer(driver, list, listId, bytes), false);
    deepEqual(staged(driver), before);
  };
  refuse(files, id + 1, contents);
  refuse(files, id, contents.slice(0, -1));
  refuse(files, id, []);
  refuse([], id, []);
  refuse([files.at(-1)!, ...files.slice(0, -1)], id, [contents.at(-1)!, ...contents.slice(0, -1)]);
  refuse(files.toReversed(), id, contents.toReversed());
  refuse([files[1]!, files[0]!, ...files.slice(2)], id, [
    contents[1]!,
    contents[0]!,
    ...contents.slice(2),
  ]);
  for (const bytes of [0, -4096, 5, 2 ** 32, 2 ** 50, Number.NaN]) {
    refuse([{ ...files[0]!, bytes }, ...files.slice(1)], id, contents);
  }
  refuse(
    files.map((file) => ({ ...file, crc: file.crc ^ 1 })),
    id,
    contents,
  );
  driver.check();
});

test("a snapshot of another cluster is refused", () => {
  const options = {
    directory: "/data",
    walDirectory: null,
    clusterId: "00000000000000ff",
    memberId: "00000000000000a9",
    levelMax: 1,
  };
  const other = opened(openMemberNow(new MemoryDisk(9), 9, smallOptions, options));
  const before = other.env.disk.listNow("/data");
  const sink = other.storage.stage(source.files, source.checkpoint.id);
  contents.forEach((content, file) => {
    let written = false;
    sink.write(file, 0, content, () => (written = true));
    other.env.run(() => written);
  });
  let outcome: boolean | null = null;
  sink.finish((good) => (outcome = good));
  other.env.run();
  equal(outcome, false);
  const after = other.env.disk.listNow("/data")!;
  deepEqual(
    after.filter((name) => !name.startsWith("STAGING-")),
    before,
  );
});

test("pieces out of order or beyond the file are refused", () => {
  const cases: [number, number, number][] = [
    [0, 1, 10],
    [1, 0, 10],
    [0, 0, contents[0]!.length + 1],
    [99, 0, 1],
  ];
  for (const [file, offset, length] of cases) {
    const driver = receiver();
    const before = staged(driver);
    const sink = driver.storage.stage(source.files, source.checkpoint.id);
    write(driver, sink, file, offset, new Uint8Array(length));
    let outcome: boolean | null = null;
    sink.finish((good) => (outcome = good));
    driver.run(() => outcome !== null);
    driver.tickFor(10);
    equal(outcome, false);
    deepEqual(staged(driver), before);
  }
});

test("abandoned before, within and after a write: nothing that is not whole is left", () => {
  for (let pieces = 0; pieces <= 6; pieces++) {
    for (const within of [false, true]) {
      const driver = receiver();
      const before = staged(driver);
      const sink = driver.storage.stage(source.files, source.checkpoint.id);
      for (let i = 0; i < pieces; i++) {
        write(driver, sink, 0, 2000 * i, contents[0]!.subarray(2000 * i, 2000 * i + 2000));
      }
      if (within) {
        const at = 2000 * pieces;
        sink.write(0, at, contents[0]!.subarray(at, at + 2000), () => {});
      }
      sink.abandon();
      sink.abandon();
      driver.tickFor(10);
      deepEqual(staged(driver), before, `${pieces} pieces`);
    }
  }
});

/** The first so many files come whole, and a piece of the next one; then it is cut off. */
function cutOff(driver: StorageDriver, whole: number): SnapshotSink {
  const sink = driver.storage.stage(source.files, source.checkpoint.id);
  contents.slice(0, whole).forEach((content, file) => write(driver, sink, file, 0, content));
  const next = contents[whole];
  if (next !== undefined) write(driver, sink, whole, 0, next.subarray(0, 4000));
  driver.tickFor(10);
  return sink;
}

/** What has to be written yet is; the names of the files that were there before. */
function goOn(driver: StorageDriver, files: readonly SnapshotFile[] = source.files): number[] {
  const sink = driver.storage.stage(files, source.checkpoint.id);
  const held = files.flatMap((_, file) => (sink.holds(file) ? [file] : []));
  contents.forEach((content, file) => {
    if (!sink.holds(file)) write(driver, sink, file, 0, content);
  });
  let outcome: boolean | null = null;
  sink.finish((ok) => (outcome = ok));
  driver.run(() => outcome !== null);
  if (outcome !== true) return [-1];
  let installed = false;
  driver.storage.install(sink, new HardState(1, 0, 150), false, () => (installed = true));
  driver.run(() => installed);
  driver.scanRows(1000);
  return held;
}

test("what has come whole is kept for the next transfer, of this process or the next", () => {
  const last = source.files.length - 1;
  for (let whole = 0; whole <= last + 1; whole++) {
    for (const end of ["abandoned", "killed", "power lost"]) {
      const driver = receiver();
      const sink = cutOff(driver, whole);
      if (end === "abandoned") {
        sink.abandon();
        sink.abandon();
      } else {
        if (end === "killed") driver.disk.kill();
        else driver.disk.powerLoss();
        driver.start();
      }
      driver.tickFor(10);
      const expected = Array.from({ length: whole }, (_, file) => file);
      deepEqual(goOn(driver), expected, `${whole} files, ${end}`);
      driver.tickFor(10);
      equal(staged(driver).length, source.files.length);
      driver.disk.powerLoss();
      equal(scanAll(opened(openMemberNow(driver.disk, 9)).storage).length, 150 + 50);
      equal(staged(driver).length, source.files.length);
    }
  }
});

test("another checkpoint of the same owner goes on with the segments that it shares", () => {
  const driver = receiver();
  const before = staged(driver).length;
  cutOff(driver, 2).abandon();
  driver.tickFor(10);
  equal(staged(driver).length, before + 2);
  const [first, second, ...rest] = source.files;
  const other = [first!, { ...second!, name: "rows-0000000000001" }, ...rest];
  const sink = driver.storage.stage(other, source.checkpoint.id);
  deepEqual([sink.holds(0), sink.holds(1)], [true, false]);
  driver.tickFor(10);
  equal(staged(driver).length, before + 1, "what it does not share is gone");
  sink.abandon();
  for (const change of [{ crc: first!.crc ^ 1 }, { bytes: first!.bytes + 4096 }]) {
    const changed = [{ ...first!, ...change }, ...source.files.slice(1)];
    const refused = driver.storage.stage(changed, source.checkpoint.id);
    equal(refused.holds(0), false);
    refused.abandon();
  }
});

test("kept bytes that have rotted are found before they are in force; then all comes anew", () => {
  const driver = receiver();
  const before = staged(driver);
  cutOff(driver, 2).abandon();
  driver.tickFor(10);
  const kept = staged(driver).find((name) => !before.includes(name))!;
  driver.disk.content(`${testDirectory}/${kept}`)[5000]! ^= 1;
  deepEqual(goOn(driver), [-1]);
  driver.tickFor(10);
  deepEqual(staged(driver), before);
  deepEqual(goOn(driver), []);
});

test("what nobody goes on with is removed after a while", () => {
  const driver = receiver();
  const before = staged(driver);
  cutOff(driver, 2).abandon();
  driver.tickFor(590_000);
  equal(staged(driver).length, before.length + 2);
  driver.tickFor(20_000);
  deepEqual(staged(driver), before);
  driver.disk.kill();
  driver.start();
  deepEqual(staged(driver), before);
});

test("nothing is pinned before the scan has verified it, nor before the first checkpoint", () => {
  const disk = new MemoryDisk(4);
  const driver = new StorageDriver(disk, shape, smallOptions, 4);
  driver.start();
  equal(driver.storage.pin(), null);
  driver.put(30);
  driver.checkpoint();
  ok(driver.storage.pin() !== null);
  disk.kill();
  const member = opened(openMemberNow(disk, 5));
  equal(member.storage.pin(), null);
  scanAll(member.storage);
  const pinned = must(member.storage.pin(), "verified");
  equal(pinned.files.length, 2);
});

test("the growing segment's CRC goes on over a restart", () => {
  const driver = driverOf(6);
  driver.start();
  driver.put(10);
  driver.checkpoint();
  driver.disk.kill();
  driver.start();
  driver.put(20);
  driver.checkpoint();
  const other = receiver();
  other.receive(must(driver.storage.pin(), "in force"), 3000);
  other.check();
});

test("an install waits for a running checkpoint and for reclaiming", () => {
  const driver = receiver();
  driver.put(100);
  driver.compactTo(95);
  driver.checkpoint();
  driver.tickFor(10, 3);
  const sink = driver.storage.stage(source.files, source.checkpoint.id);
  contents.forEach((content, file) => write(driver, sink, file, 0, content));
  let finished = false;
  sink.finish(() => (finished = true));
  driver.run(() => finished);
  driver.put(110);
  let checkpointed = false;
  const { index, term } = { index: 110, term: 1 };
  driver.storage.checkpoint({ index, term, tables: [], keepLogFrom: 0 }, () => {
    checkpointed = true;
  });
  let installed = false;
  driver.storage.install(sink, new HardState(1, 0, 150), false, (checkpoint) => {
    ok(checkpointed, "the checkpoint came first");
    equal(checkpoint.id, source.checkpoint.id);
    installed = true;
  });
  driver.run(() => installed);
  equal(driver.scanRows(1000).length, 150 + 50);
  driver.storage.rows.append(testRow(151, 0, "k", "v"));
});

test("a rewriting that an install meets is thrown away with its file", () => {
  const options = { ...smallOptions, reclaimBytesPerSecond: 10_000 };
  const driver = new StorageDriver(new MemoryDisk(2), shape, options, 2);
  driver.start();
  driver.put(110);
  for (const ref of driver.refs.values()) if (ref % 3 !== 0) driver.storage.rows.dead(ref);
  driver.checkpoint();
  const before = staged(driver);
  const begun = (): boolean => staged(driver).some((name) => !before.includes(name));
  for (let i = 0; i < 100 && !begun(); i++) driver.tickFor(10);
  ok(begun() && !driver.env.marks.includes("reclaim.synced"), "a rewriting has begun");
  const sink = driver.storage.stage(source.files, source.checkpoint.id);
  contents.forEach((content, file) => write(driver, sink, file, 0, content));
  let finished = false;
  sink.finish(() => (finished = true));
  driver.run(() => finished);
  let installed = false;
  driver.storage.install(sink, new HardState(1, 0, 150), false, () => (installed = true));
  driver.run(() => installed);
  driver.scanRows(1000);
  driver.tickFor(3000);
  equal(staged(driver).length, source.files.length);
  driver.disk.powerLoss();
  equal(scanAll(opened(openMemberNow(driver.disk, 9)).storage).length, 150 + 50);
});

test("a close waits for an install", () => {
  const driver = receiver();
  const sink = driver.storage.stage(source.files, source.checkpoint.id);
  contents.forEach((content, file) => write(driver, sink, file, 0, content));
  let finished = false;
  sink.finish(() => (finished = true));
  driver.run(() => finished);
  const order: string[] = [];
  driver.storage.install(sink, new HardState(1, 0, 150), false, () => order.push("installed"));
  driver.storage.close(() => order.push("closed"));
  driver.run(() => order.length === 2);
  deepEqual(order, ["installed", "closed"]);
});
