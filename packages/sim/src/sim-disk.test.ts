// The simulated disk against its contract and against the crash model (reliability.md §1.4):
// cases for each rule, and properties over many seeds.
import assert from "node:assert/strict";
import { test } from "node:test";
import { type Disk, DiskError, type DiskFile } from "@quorate/storage";
import { diskContractCases } from "@quorate/storage/internal";
import { PlainUser } from "../test/plain-user.ts";
import { DiskView } from "./disk/disk-view.ts";
import { UnsyncedFate } from "./disk/sim-file.ts";
import { sectorBytes } from "./disk/torn-write.ts";
import { SimDisk } from "./sim-disk.ts";
import { World } from "./world.ts";

class Bench {
  readonly world: World;
  readonly disk: SimDisk;
  user: PlainUser;
  view: Disk;

  constructor(seed: number) {
    this.world = new World(seed);
    this.disk = new SimDisk(this.world, this.world.random("disk"), "d");
    this.user = new PlainUser("p");
    this.view = new DiskView(this.disk, this.user);
    this.view.makeDirectoryNow("/data");
    this.do((done) => this.view.syncDirectory("/", done));
  }

  /** Runs one operation to its completion. */
  do(start: (done: (error: DiskError | null) => void) => void): DiskError | null {
    let result: DiskError | null | undefined;
    start((error) => {
      result = error;
    });
    assert.ok(this.world.runUntil(() => result !== undefined, 60_000));
    return result!;
  }

  create(path: string): DiskFile {
    const file = this.view.openNow(path, true);
    assert.ok(!(file instanceof DiskError));
    return file;
  }

  open(path: string): DiskFile {
    const file = this.view.openNow(path, false);
    assert.ok(!(file instanceof DiskError), path);
    return file;
  }

  /** A file whose content and name are durable. */
  durable(path: string, bytes: Uint8Array): DiskFile {
    const file = this.create(path);
    this.do((done) => file.write(0, bytes, done));
    this.do((done) => file.sync(done));
    this.do((done) => this.view.syncDirectory("/data", done));
    return file;
  }

  kill(): void {
    this.user.alive = false;
    this.disk.kill(this.user);
  }

  restart(): void {
    this.user = new PlainUser("p'");
    this.view = new DiskView(this.disk, this.user);
  }

  powerLoss(fate?: UnsyncedFate): void {
    this.kill();
    this.disk.powerLoss(fate);
    this.restart();
  }

  content(path: string): string | null {
    const bytes = this.disk.cachedBytes(path);
    return bytes === null ? null : [...bytes].join(",");
  }
}

const bytesOf = (...values: number[]): Uint8Array => Uint8Array.from(values);

for (const contract of diskContractCases) {
  test(`contract: ${contract.name}`, () => {
    for (let seed = 0; seed < 5; seed++) {
      const bench = new Bench(seed);
      const steps = contract.run({
        disk: bench.view,
        root: "/data",
        otherProcess: () => {
          const user = new PlainUser("other");
          return {
            disk: new DiskView(bench.disk, user),
            end: () => {
              user.alive = false;
              bench.disk.kill(user);
            },
          };
        },
      });
      for (const holds of steps) assert.ok(bench.world.runUntil(holds, 60_000));
    }
  });
}

test("a killed process leaves the page cache: written bytes and names stay", () => {
  const bench = new Bench(1);
  const file = bench.create("/data/f");
  bench.do((done) => file.write(0, bytesOf(1, 2, 3), done));
  bench.kill();
  bench.restart();
  assert.equal(bench.content("/data/f"), "1,2,3");
  assert.equal(bench.disk.durableBytes("/data/f"), null);
});

test("a power loss that drops everything leaves exactly what was synced", () => {
  const bench = new Bench(1);
  const file = bench.durable("/data/f", bytesOf(1, 2, 3));
  bench.do((done) => file.write(1, bytesOf(9, 9, 9, 9), done));
  bench.create("/data/new");
  assert.deepEqual(bench.disk.durableBytes("/data/f"), bytesOf(1, 2, 3));
  bench.powerLoss(UnsyncedFate.Drop);
  assert.equal(bench.content("/data/f"), "1,2,3");
  assert.equal(bench.content("/data/new"), null);
});

test("a kill followed by a power loss: what the cache showed in between is gone again", () => {
  const bench = new Bench(1);
  const file = bench.durable("/data/f", bytesOf(1));
  bench.do((done) => file.write(0, bytesOf(2), done));
  bench.kill();
  bench.restart();
  assert.equal(bench.content("/data/f"), "2");
  bench.powerLoss(UnsyncedFate.Drop);
  assert.equal(bench.content("/data/f"), "1");
});

test("a sync covers writes that were done when it was issued, not those done before it returns", () => {
  const bench = new Bench(1);
  bench.disk.timings.syncMinUs = bench.disk.timings.syncMaxUs = 10_000;
  const file = bench.durable("/data/f", new Uint8Array(2048));
  bench.do((done) => file.write(0, bytesOf(1), done));
  let synced = false;
  file.sync(() => (synced = true));
  bench.do((done) => file.write(1024, bytesOf(2), done));
  assert.equal(synced, false);
  assert.ok(bench.world.runUntil(() => synced, 100));
  assert.ok(bench.disk.isDurable("/data/f", 0, 512));
  assert.ok(!bench.disk.isDurable("/data/f", 1024, 1536));
  bench.powerLoss(UnsyncedFate.Drop);
  const bytes = bench.disk.cachedBytes("/data/f")!;
  assert.equal(bytes[0], 1);
  assert.equal(bytes[1024], 0);
});

test("a file's sync does not make its name durable; the directory's does", () => {
  const bench = new Bench(1);
  const file = bench.create("/data/f");
  bench.do((done) => file.write(0, bytesOf(1), done));
  bench.do((done) => file.sync(done));
  assert.equal(bench.disk.durableBytes("/data/f"), null);
  bench.do((done) => bench.view.syncDirectory("/data", done));
  assert.deepEqual(bench.disk.durableBytes("/data/f"), bytesOf(1));
});

test("a directory made under an unsynced parent is lost with all its synced files", () => {
  const bench = new Bench(1);
  bench.view.makeDirectoryNow("/data/member");
  const file = bench.create("/data/member/f");
  bench.do((done) => file.write(0, bytesOf(1), done));
  bench.do((done) => file.sync(done));
  bench.do((done) => bench.view.syncDirectory("/data/member", done));
  bench.powerLoss(UnsyncedFate.Drop);
  assert.equal(bench.view.listNow("/data/member"), null);
});

test("a rename over a file is atomic under every power loss: old or new content, never neither", () => {
  const outcomes = new Set<string>();
  for (let seed = 0; seed < 200; seed++) {
    const bench = new Bench(seed);
    bench.durable("/data/f", bytesOf(1));
    const file = bench.durable("/data/f.tmp", bytesOf(2));
    bench.do((done) => bench.view.rename("/data/f.tmp", "/data/f", done));
    assert.equal(file.sizeNow(), 1);
    bench.powerLoss();
    outcomes.add(`${bench.content("/data/f")} ${bench.content("/data/f.tmp")}`);
  }
  assert.deepEqual([...outcomes].sort(), ["1 2", "2 2", "2 null"]);
});

test("a rename into another directory never loses the file, whatever survives", () => {
  const outcomes = new Set<string>();
  for (let seed = 0; seed < 200; seed++) {
    const bench = new Bench(seed);
    bench.view.makeDirectoryNow("/data/d");
    bench.durable("/data/f", bytesOf(7));
    bench.do((done) => bench.view.rename("/data/f", "/data/d/f", done));
    if (seed % 2 === 0) bench.do((done) => bench.view.syncDirectory("/data", done));
    bench.powerLoss();
    const both = [bench.content("/data/f"), bench.content("/data/d/f")];
    assert.ok(both.includes("7"), `seed ${seed}: ${both.join(" ")}`);
    outcomes.add(both.join(" "));
  }
  assert.ok(outcomes.has("7 ") && outcomes.has(" 7"), [...outcomes].join("|"));
});

test("an unsynced removal may come back, a synced one never", () => {
  const outcomes = new Set<string | null>();
  for (let seed = 0; seed < 50; seed++) {
    const bench = new Bench(seed);
    bench.durable("/data/f", bytesOf(1));
    bench.do((done) => bench.view.remove("/data/f", done));
    if (seed >= 25) bench.do((done) => bench.view.syncDirectory("/data", done));
    bench.powerLoss();
    if (seed >= 25) assert.equal(bench.content("/data/f"), null);
    else outcomes.add(bench.content("/data/f"));
  }
  assert.deepEqual(outcomes, new Set(["1", null]));
});

test("a power loss never touches sectors without unsynced writes, and does all four to the others", () => {
  const old = new Uint8Array(8 * sectorBytes).fill(0x11);
  const seen = { kept: 0, dropped: 0, torn: 0, garbled: 0 };
  for (let seed = 0; seed < 300; seed++) {
    const bench = new Bench(seed);
    const file = bench.durable("/data/f", old);
    const written = new Uint8Array(3 * sectorBytes).fill(0x22);
    bench.do((done) => file.write(2 * sectorBytes, written, done));
    bench.powerLoss(UnsyncedFate.Mix);
    const after = bench.disk.cachedBytes("/data/f")!;
    assert.equal(after.length, old.length);
    for (let sector = 0; sector < 8; sector++) {
      const bytes = after.subarray(sector * sectorBytes, (sector + 1) * sectorBytes);
      const news = bytes.filter((b) => b === 0x22).length;
      const olds = bytes.filter((b) => b === 0x11).length;
      if (sector < 2 || sector > 4) assert.equal(olds, sectorBytes, `seed ${seed}, ${sector}`);
      else if (news === sectorBytes) seen.kept++;
      else if (olds === sectorBytes) seen.dropped++;
      else if (news + olds === sectorBytes) seen.torn++;
      else seen.garbled++;
    }
  }
  for (const [what, count] of Object.entries(seen)) assert.ok(count > 20, `${what}: ${count}`);
});

test("FoundationDB's pages: as often kept as dropped as corrupt, and corrupt ones sector by sector", () => {
  const seen = { kept: 0, dropped: 0, corrupt: 0 };
  const sectors = { kept: 0, old: 0, torn: 0, garbled: 0 };
  for (let seed = 0; seed < 300; seed++) {
    const bench = new Bench(seed);
    const file = bench.durable("/data/f", new Uint8Array(2 * 4096).fill(0x11));
    bench.do((done) => file.write(4096, new Uint8Array(4096).fill(0x22), done));
    bench.powerLoss(UnsyncedFate.Pages);
    const after = bench.disk.cachedBytes("/data/f")!;
    assert.ok(after.subarray(0, 4096).every((byte) => byte === 0x11));
    const page = after.subarray(4096);
    if (page.every((byte) => byte === 0x22)) seen.kept++;
    else if (page.every((byte) => byte === 0x11)) seen.dropped++;
    else seen.corrupt++;
    if (page.every((byte) => byte === page[0])) continue;
    for (let at = 0; at < 4096; at += sectorBytes) {
      const bytes = page.subarray(at, at + sectorBytes);
      const news = bytes.filter((byte) => byte === 0x22).length;
      const olds = bytes.filter((byte) => byte === 0x11).length;
      if (news === sectorBytes) sectors.kept++;
      else if (olds === sectorBytes) sectors.old++;
      else if (news + olds === sectorBytes) sectors.torn++;
      else sectors.garbled++;
    }
  }
  for (const [what, count] of Object.entries(seen)) assert.ok(count > 70, `${what}: ${count}`);
  // Of 100 sectors: 25 kept, 25 dropped and 8 wholly bad without garbage, 17 partly so, 25 garbage.
  const total = sectors.kept + sectors.old + sectors.torn + sectors.garbled;
  const percent = Object.values(sectors).map((count) => Math.round((100 * count) / total));
  const expected = [25, 33, 17, 25];
  expected.forEach((wanted, at) =>
    assert.ok(Math.abs(percent[at]! - wanted) <= 6, percent.join(" ")),
  );
});

test("a grown file ends anywhere between its synced and its full size, and holes are zeros", () => {
  const lengths = new Set<number>();
  for (let seed = 0; seed < 200; seed++) {
    const bench = new Bench(seed);
    const file = bench.durable("/data/f", new Uint8Array(100).fill(1));
    bench.do((done) => file.write(100, new Uint8Array(3000).fill(2), done));
    bench.powerLoss();
    const after = bench.disk.cachedBytes("/data/f")!;
    assert.ok(after.length >= 100 && after.length <= 3100);
    lengths.add(after.length);
  }
  assert.ok(lengths.has(100) && lengths.has(3100) && lengths.size > 20);
});

test("in a prefix loss a later write survives only if all earlier ones do", () => {
  for (let seed = 0; seed < 100; seed++) {
    const bench = new Bench(seed);
    const file = bench.durable("/data/f", new Uint8Array(10 * sectorBytes));
    for (let i = 0; i < 10; i++) {
      bench.do((done) => file.write(i * sectorBytes, new Uint8Array(sectorBytes).fill(1), done));
    }
    bench.powerLoss(UnsyncedFate.Prefix);
    const after = bench.disk.cachedBytes("/data/f")!;
    const gap = after.indexOf(0);
    if (gap >= 0) assert.ok(!after.subarray(gap).includes(1), `seed ${seed}`);
  }
});

test("a kill in the middle of operations: each happened, did not, or in part", () => {
  const lengths = new Set<number>();
  const names = new Set<string>();
  for (let seed = 0; seed < 100; seed++) {
    const bench = new Bench(seed);
    const file = bench.durable("/data/f", bytesOf());
    bench.durable("/data/g", bytesOf());
    file.write(0, new Uint8Array(4 * sectorBytes).fill(1), () => assert.fail("dead"));
    bench.view.rename("/data/g", "/data/h", () => assert.fail("dead"));
    bench.kill();
    bench.restart();
    bench.world.runFor(100);
    lengths.add(bench.disk.cachedBytes("/data/f")!.length);
    names.add(bench.view.listNow("/data")!.join(" "));
  }
  assert.ok(lengths.has(0) && lengths.has(4 * sectorBytes) && lengths.has(sectorBytes));
  assert.deepEqual([...names].sort(), ["f g", "f h"]);
});

test("a fork in the state after a power loss leaves the disk itself untouched", () => {
  const bench = new Bench(1);
  const file = bench.durable("/data/f", bytesOf(1, 2));
  bench.do((done) => file.write(0, bytesOf(9), done));
  bench.create("/data/new");
  const other = new World(2);
  const dropped = bench.disk.fork(other, other.random("a"), UnsyncedFate.Drop);
  assert.deepEqual(dropped.filesBelow("/data"), ["/data/f"]);
  assert.deepEqual(dropped.cachedBytes("/data/f"), bench.disk.durableBytes("/data/f"));
  const kept = bench.disk.fork(other, other.random("b"), UnsyncedFate.Keep);
  assert.deepEqual(kept.filesBelow("/data"), ["/data/f", "/data/new"]);
  assert.deepEqual(kept.cachedBytes("/data/f"), bytesOf(9, 2));
  assert.equal(bench.content("/data/f"), "9,2");
  assert.ok(!bench.disk.isDurable("/data/f", 0, 2));
});

test("a full disk answers ENOSPC, writes nothing, and goes on after a removal", () => {
  const bench = new Bench(1);
  const file = bench.durable("/data/f", new Uint8Array(600));
  bench.disk.capacityBytes = 1000;
  assert.equal(bench.do((done) => file.write(600, new Uint8Array(500), done))?.code, "ENOSPC");
  assert.equal(file.sizeNow(), 600);
  assert.equal(
    bench.do((done) => file.write(0, new Uint8Array(600), done)),
    null,
  );
  bench.do((done) => bench.view.remove("/data/f", done));
  const other = bench.create("/data/g");
  assert.equal(
    bench.do((done) => other.write(0, new Uint8Array(900), done)),
    null,
  );
});

test("a fault hook fails operations by kind and path, and a failed sync makes nothing durable", () => {
  const bench = new Bench(1);
  const file = bench.durable("/data/f", bytesOf(1));
  bench.disk.fault = (operation, path) =>
    operation === "sync" && path === "/data/f" ? "EIO" : null;
  bench.do((done) => file.write(0, bytesOf(2), done));
  assert.equal(bench.do((done) => file.sync(done))?.code, "EIO");
  assert.ok(!bench.disk.isDurable("/data/f", 0, 1));
  bench.disk.fault = (operation) => (operation === "read" ? "EIO" : null);
  assert.ok(file.readNow(0, new Uint8Array(1)) instanceof DiskError);
});

test("a stall holds back everything that is submitted meanwhile", () => {
  const bench = new Bench(1);
  const file = bench.durable("/data/f", bytesOf(1));
  bench.disk.stall(500);
  const before = bench.world.nowMs;
  bench.do((done) => file.sync(done));
  assert.ok(bench.world.nowMs - before >= 500);
});

test("wipe, copy and restore act on the medium", () => {
  const bench = new Bench(1);
  bench.view.makeDirectoryNow("/data/d");
  bench.durable("/data/d/f", bytesOf(1)).close();
  bench.kill();
  const copy = bench.disk.copyDirectory("/data");
  bench.disk.wipe("/data/d");
  assert.deepEqual(bench.disk.filesBelow("/data"), []);
  bench.disk.powerLoss(UnsyncedFate.Mix);
  assert.deepEqual(bench.disk.filesBelow("/data"), []);
  bench.disk.restoreDirectory("/data", copy);
  bench.disk.powerLoss(UnsyncedFate.Drop);
  assert.equal(bench.content("/data/d/f"), "1");
});

test("bytes that change before a write is done are a bug that is found", () => {
  const bench = new Bench(1);
  const file = bench.create("/data/f");
  const bytes = bytesOf(1, 2, 3);
  file.write(0, bytes, () => {});
  bytes[0] = 9;
  assert.throws(() => bench.world.runFor(100), /changed before the write was done/);
});

test("closing with operations in flight and using a closed file are bugs that are found", () => {
  const bench = new Bench(1);
  const file = bench.create("/data/f");
  file.sync(() => {});
  assert.throws(() => file.close(), /in flight/);
  bench.world.runFor(100);
  file.close();
  assert.throws(() => file.sizeNow(), /after close/);
  bench.kill();
  assert.throws(() => bench.view.openNow("/data/f", false), /dead/);
});

test("writes and syncs are counted", () => {
  const bench = new Bench(1);
  const before = bench.disk.syncs;
  const file = bench.durable("/data/f", bytesOf(1, 2, 3));
  assert.equal(bench.disk.syncs - before, 2);
  bench.do((done) => file.write(3, bytesOf(4), done));
  assert.equal(bench.disk.writes, 2);
  assert.equal(bench.disk.bytesWritten, 4);
});
