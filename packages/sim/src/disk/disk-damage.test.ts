// Each damage to a medium, alone: what a process then reads, that the truth stays known, that
// writing anew makes whole, and that without damage nothing is left of it.
import assert from "node:assert/strict";
import { test } from "node:test";
import { DiskError, type DiskFile } from "@quorate/storage";
import { SimDisk } from "../sim-disk.ts";
import { World } from "../world.ts";
import { PlainUser } from "../../test/plain-user.ts";
import { DiskView } from "./disk-view.ts";
import { RecentWrites } from "./recent-writes.ts";
import { UnsyncedFate } from "./sim-file.ts";

const path = "/data/f";

class Bench {
  readonly world: World;
  readonly disk: SimDisk;
  user: PlainUser;
  view: DiskView;

  constructor(seed = 1) {
    this.world = new World(seed);
    this.disk = new SimDisk(this.world, this.world.random("disk"), "m0");
    this.disk.recent = new RecentWrites();
    this.user = new PlainUser("p");
    this.view = new DiskView(this.disk, this.user);
    this.view.makeDirectoryNow("/data");
    this.do((done) => this.view.syncDirectory("/", done));
  }

  do(start: (done: (error: DiskError | null) => void) => void): DiskError | null {
    let result: DiskError | null | undefined;
    start((error) => (result = error));
    assert.ok(this.world.runUntil(() => result !== undefined, 60_000));
    return result!;
  }

  durable(name: string, ...bytes: number[]): DiskFile {
    const file = this.view.openNow(name, true);
    assert.ok(!(file instanceof DiskError));
    this.write(file, 0, ...bytes);
    this.do((done) => this.view.syncDirectory("/data", done));
    return file;
  }

  /** And synced. */
  write(file: DiskFile, position: number, ...bytes: number[]): void {
    assert.equal(
      this.do((done) => file.write(position, Uint8Array.from(bytes), done)),
      null,
    );
    assert.equal(
      this.do((done) => file.sync(done)),
      null,
    );
  }

  powerLoss(): void {
    this.user.alive = false;
    this.disk.kill(this.user);
    this.disk.powerLoss(UnsyncedFate.Drop);
    this.user = new PlainUser("p'");
    this.view = new DiskView(this.disk, this.user);
  }

  /** As a process reads it: the bytes, or the error. */
  shown(name = path): string {
    const size = this.view.sizeNow(name);
    const file = this.view.openNow(name, false);
    if (file instanceof DiskError || size === null) return "none";
    assert.equal(file.sizeNow(), size);
    const into = new Uint8Array(size + 2);
    const read = file.readNow(0, into);
    file.close();
    return read instanceof DiskError ? read.code : [...into.subarray(0, read)].join(",");
  }

  truth(name = path): string {
    return [...this.disk.durableBytes(name)!].join(",");
  }

  get alive(): string[] {
    return this.disk.damage.alive("/data").map((damaged) => damaged.path);
  }
}

test("rot: other bytes are read, also after a crash; the truth stays; mending takes it away", () => {
  const bench = new Bench();
  bench.durable(path, 1, 2, 3, 4);
  bench.disk.damage.rot(path, 1, Uint8Array.of(9, 8));
  assert.equal(bench.shown(), "1,9,8,4");
  bench.powerLoss();
  assert.equal(bench.shown(), "1,9,8,4");
  assert.equal(bench.truth(), "1,2,3,4");
  assert.deepEqual(bench.alive, [path]);
  bench.disk.damage.mend("/data");
  assert.equal(bench.shown(), "1,2,3,4");
  assert.deepEqual(bench.alive, []);
});

test("what is written anew over rot is whole, the rest stays rotten", () => {
  const bench = new Bench();
  const file = bench.durable(path, 1, 2, 3, 4, 5, 6);
  bench.disk.damage.rot(path, 1, Uint8Array.of(11, 12, 13, 14));
  bench.write(file, 2, 7, 8);
  assert.equal(bench.shown(), "1,11,7,8,14,6");
  bench.disk.damage.rot(path, 0, Uint8Array.of(21));
  bench.write(file, 0, 1, 2, 3, 4, 5, 6);
  assert.equal(bench.shown(), "1,2,3,4,5,6");
  assert.deepEqual(bench.alive, []);
});

test("a latent error: EIO on whatever touches the range, until it is written anew", () => {
  const bench = new Bench();
  const file = bench.durable(path, 1, 2, 3, 4);
  bench.disk.damage.failReads(path, 2, 3);
  assert.equal(bench.shown(), "EIO");
  assert.equal(file.readNow(0, new Uint8Array(2)), 2);
  assert.equal(file.readNow(3, new Uint8Array(1)), 1);
  bench.write(file, 2, 5);
  assert.equal(bench.shown(), "1,2,5,4");
});

test("a file that is cut off: shorter to all who look; what is written behind leaves a hole", () => {
  const bench = new Bench();
  const file = bench.durable(path, 1, 2, 3, 4, 5, 6);
  bench.disk.damage.cut(path, 2);
  assert.equal(bench.shown(), "1,2");
  assert.equal(bench.truth(), "1,2,3,4,5,6");
  bench.write(file, 3, 7);
  assert.equal(bench.shown(), "1,2,0,7");
  bench.write(file, 6, 8);
  assert.equal(bench.shown(), "1,2,0,7,0,0,8");
  bench.do((done) => file.truncate(1, done));
  assert.equal(bench.shown(), "1");
  assert.deepEqual(bench.alive, []);
});

test("a file that is cut off and grown again by its process is zero in between", () => {
  const bench = new Bench();
  const file = bench.durable(path, 1, 2, 3, 4);
  bench.disk.damage.cut(path, 1);
  bench.do((done) => file.truncate(6, done));
  assert.equal(bench.shown(), "1,0,0,0,0,0");
});

test("a deleted file: no name, and a process may make it anew", () => {
  const bench = new Bench();
  const used = bench.disk.usedBytes;
  bench.durable(path, 1, 2, 3).close();
  bench.disk.damage.hide(path);
  assert.equal(bench.shown(), "none");
  assert.deepEqual(bench.view.listNow("/data"), []);
  assert.deepEqual(bench.alive, [path]);
  assert.equal(bench.truth(), "1,2,3");
  bench.durable(path, 4);
  assert.equal(bench.shown(), "4");
  assert.deepEqual(bench.alive, []);
  assert.equal(bench.disk.usedBytes - used, 1);
});

test("two files change places", () => {
  const bench = new Bench();
  bench.durable(path, 1);
  bench.durable("/data/g", 2, 2);
  bench.disk.damage.swap(path, "/data/g");
  assert.deepEqual([bench.shown(), bench.shown("/data/g")], ["2,2", "1"]);
  assert.deepEqual([bench.truth(), bench.truth("/data/g")], ["1", "2,2"]);
  assert.deepEqual(bench.alive, [path, "/data/g"]);
  bench.do((done) => bench.view.remove(path, done));
  assert.deepEqual(bench.view.listNow("/data"), ["g"]);
});

test("a lost write: the bytes of before are back; not when something came over it since", () => {
  const bench = new Bench();
  const file = bench.durable(path, 1, 2, 3);
  bench.write(file, 1, 7, 8, 9);
  const lost = bench.disk.recent!.all().at(-1)!;
  assert.ok(bench.disk.damage.lose(lost));
  assert.equal(bench.shown(), "1,2,3,0");
  assert.equal(bench.truth(), "1,7,8,9");
  bench.write(file, 2, 5);
  assert.equal(bench.shown(), "1,2,5,0");
  assert.ok(!bench.disk.damage.lose(lost));
});

test("a misdirected write stands elsewhere and not at its place; one at a time", () => {
  const bench = new Bench();
  const file = bench.durable(path, 1, 2, 3);
  const other = bench.durable("/data/g", 4, 5, 6);
  bench.write(file, 0, 9);
  const [write] = bench.disk.recent!.all().slice(-1);
  assert.ok(bench.disk.damage.misdirect(write!, "/data/g", 1));
  assert.deepEqual([bench.shown(), bench.shown("/data/g")], ["1,2,3", "4,9,6"]);
  bench.write(file, 1, 8);
  const [next] = bench.disk.recent!.all().slice(-1);
  assert.ok(!bench.disk.damage.misdirect(next!, "/data/g", 0));
  bench.write(other, 1, 5);
  bench.write(file, 0, 9);
  assert.ok(bench.disk.damage.misdirect(next!, "/data/g", 0));
  assert.deepEqual([bench.shown(), bench.shown("/data/g")], ["9,2,3", "8,5,6"]);
});

test("a copy of the disk after a power loss is the truth, without the damage", () => {
  const bench = new Bench();
  bench.durable(path, 1, 2, 3);
  bench.disk.damage.rot(path, 0, Uint8Array.of(9));
  bench.disk.damage.hide(path);
  const world = new World(2);
  const copy = bench.disk.fork(world, world.random("disk"), UnsyncedFate.Drop);
  assert.deepEqual(copy.cachedBytes(path), Uint8Array.of(1, 2, 3));
  assert.deepEqual(copy.damage.alive("/data"), []);
});

test("a failed sync gives up what it covered: a later one succeeds without it, the cache hides it", () => {
  let given = 0;
  let kept = 0;
  for (let seed = 0; seed < 20; seed++) {
    const bench = new Bench(seed);
    const file = bench.durable(path, 1, 1, 1);
    bench.do((done) => file.write(0, Uint8Array.of(2, 2, 2), done));
    bench.disk.fault = (operation) => (operation === "sync" ? "EIO" : null);
    assert.equal(bench.do((done) => file.sync(done))?.code, "EIO");
    bench.disk.fault = null;
    assert.equal(
      bench.do((done) => file.sync(done)),
      null,
    );
    assert.equal(bench.shown(), "2,2,2");
    assert.ok(!bench.disk.isDurable(path, 0, 3));
    bench.powerLoss();
    if (bench.shown() === "2,2,2") kept++;
    else given++;
  }
  assert.ok(given >= 5 && kept >= 5, `${given} gone, ${kept} there`);
});

test("what a failed sync gave up is durable once it is written anew", () => {
  const bench = new Bench();
  const file = bench.durable(path, 1, 1, 1);
  bench.do((done) => file.write(0, Uint8Array.of(2, 2, 2), done));
  bench.disk.fault = (operation) => (operation === "sync" ? "EIO" : null);
  bench.do((done) => file.sync(done));
  bench.disk.fault = null;
  bench.write(file, 0, 2, 2, 2);
  assert.ok(bench.disk.isDurable(path, 0, 3));
  bench.powerLoss();
  assert.equal(bench.shown(), "2,2,2");
});
