// Crash safety of a member's storage. Method: a script of steps is run once to count its disk
// operations; then, for each operation and each kind of crash, the world ends there and a new process
// starts. Goal: it always starts, what was acknowledged is there, what was in flight is there whole or
// not at all, and the next start finds the same.
import test from "node:test";
import { ok } from "node:assert";
import { must } from "@quorate/base";
import type { SnapshotSource } from "./storage-api.ts";
import { MemoryDisk } from "./testing/memory-disk.ts";
import { Crashed, StorageDriver } from "./testing/storage-driver.ts";
import { smallOptions } from "./testing/test-member.ts";

const shape = { keys: 12, valueBytes: 200 };
const options = {
  ...smallOptions,
  walSegmentBytes: 16_384,
  rowSegmentBytes: 12_288,
  reclaimBytesPerSecond: 4_000_000,
  stagingRecordBytes: 16_384,
};

/** More of the same, for a long run. */
const seedsFactor = Number(process.env["SEEDS_FACTOR"] ?? 1);

type Crash = "kill" | "power" | "both";
type Script = (driver: StorageDriver) => void;

function crashAt(script: Script, operation: number, crash: Crash, seed: number): boolean {
  const driver = new StorageDriver(new MemoryDisk(seed), shape, options, seed);
  driver.crashAt = operation;
  let crashed = false;
  try {
    script(driver);
  } catch (error) {
    if (!(error instanceof Crashed)) throw error;
    crashed = true;
  }
  if (crash === "power") driver.disk.powerLoss();
  else driver.disk.kill();
  if (crash === "both") {
    // The next process gets some way, then the power goes.
    driver.crashAt = driver.disk.performed + (operation % 23);
    try {
      driver.start();
    } catch (error) {
      if (!(error instanceof Crashed)) throw error;
    }
    driver.disk.powerLoss();
  }
  driver.crashAt = Number.MAX_SAFE_INTEGER;
  driver.start();
  driver.check();
  goOn(driver);
  driver.disk.powerLoss();
  driver.start();
  driver.check(driver.applied - 5);
  return crashed;
}

/** After a recovery everything works as before. */
function goOn(driver: StorageDriver): void {
  driver.put(driver.applied + 7);
  driver.compactTo(driver.applied - 3);
  driver.checkpoint();
  driver.tickFor(30);
  driver.check();
}

function everywhere(name: string, script: Script, seedsPerOperation: number = 1): void {
  const seeds = { kill: 11, power: 12, both: 13 } as const;
  for (const crash of ["kill", "power", "both"] as const) {
    test(`${name}: ${crash} at every disk operation`, (t) => {
      const driver = new StorageDriver(new MemoryDisk(1), shape, options, 1);
      script(driver);
      const operations = driver.disk.performed;
      let crashes = 0;
      const rounds = seedsPerOperation * seedsFactor;
      for (let round = 0; round < rounds * operations; round++) {
        const operation = round % operations;
        try {
          if (crashAt(script, operation, crash, seeds[crash] + round)) crashes += 1;
        } catch (error) {
          throw new Error(`operation ${operation}, seed ${seeds[crash] + round}`, { cause: error });
        }
      }
      t.diagnostic(`${crashes} crashes, ${operations} operations`);
      ok(crashes > (rounds * operations) / 2, "the crashes happened");
    });
  }
}

everywhere("first open, genesis, first entries", (driver) => {
  driver.start();
  driver.put(3);
  driver.meetPeer();
});

everywhere("checkpoints over growing and full segments", (driver) => {
  driver.start();
  driver.put(20);
  driver.checkpoint(10);
  driver.put(90);
  driver.meetPeer();
  driver.checkpoint(60);
  driver.put(95);
  driver.checkpoint();
});

everywhere(
  "reclaiming beside a checkpoint that runs: dropped, rewritten and merged segments",
  (driver) => {
    driver.start();
    driver.put(140);
    driver.compactTo(100);
    driver.checkpoint();
    // Dead for the checkpoint that begins now, alive for the one in force.
    driver.compactTo(138);
    driver.put(145);
    const done = driver.beginCheckpoint();
    driver.tickFor(60, 2);
    driver.run(done);
    driver.tickFor(60);
    marked(driver, "reclaim.in-force");
    driver.put(170);
    driver.compactTo(169);
    driver.checkpoint();
    driver.tickFor(60);
    marked(driver, "reclaim.dropped");
    driver.check();
  },
  3,
);

test("the reclaim script drops whole segments, too", () => {
  const driver = new StorageDriver(new MemoryDisk(1), { keys: 2, valueBytes: 300 }, options, 1);
  driver.start();
  driver.put(300);
  driver.compactTo(290);
  driver.checkpoint();
  driver.tickFor(100);
  marked(driver, "reclaim.dropped");
  const { rowBytes, rowSegments } = driver.storage.usage();
  ok(rowSegments <= 3 && rowBytes <= 3 * options.rowSegmentBytes, `${rowSegments} ${rowBytes}`);
  driver.check();
});

/** A snapshot of another member, whose log went on without this one. */
function sender(index: number, compact: number): SnapshotSource {
  const other = new StorageDriver(new MemoryDisk(77), shape, options, 77);
  other.start();
  other.put(index - 10);
  other.checkpoint();
  other.compactTo(compact);
  other.put(index);
  other.checkpoint();
  other.tickFor(60);
  return must(other.storage.pin(), "a checkpoint is in force");
}

const snapshot = sender(140, 90);

everywhere("a snapshot installed over a checkpoint and a longer log", (driver) => {
  driver.start();
  driver.put(40);
  driver.checkpoint(20);
  driver.meetPeer();
  driver.put(60);
  driver.receive(snapshot, 5000);
  driver.check();
  driver.put(150);
  driver.check();
  driver.checkpoint();
});

everywhere("a snapshot installed into an empty member", (driver) => {
  driver.start();
  driver.receive(snapshot, 1_000_000);
  driver.put(145);
  driver.check();
});

function marked(driver: StorageDriver, mark: string): void {
  ok(driver.env.marks.includes(mark), `${mark} is reached`);
}
