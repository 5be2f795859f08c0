// One member's storage through random puts, compactions, checkpoints that overlap with puts and
// reclaiming, snapshots from another member, orderly and hard restarts, checked against the twin all
// along. A seed makes the same run again. Only tests import it.
import { must, Prng } from "@quorate/base";
import { MemoryDisk } from "./memory-disk.ts";
import { Crashed, StorageDriver } from "./storage-driver.ts";
import { smallOptions } from "./test-member.ts";

const stepsPerSeed = 40;

export class RandomRun {
  readonly driver: StorageDriver;
  readonly other: StorageDriver;
  readonly prng: Prng;
  readonly marks: Map<string, number>;

  constructor(seed: number) {
    this.prng = new Prng(seed);
    const shape = { keys: 3 + this.prng.below(40), valueBytes: 1 + this.prng.below(400) };
    const options = {
      ...smallOptions,
      walSegmentBytes: 32_768,
      rowSegmentBytes: 4096 * (1 + this.prng.below(8)),
      rowCacheBytesMax: this.prng.below(20_000),
      reclaimBytesPerSecond: 100_000 * (1 + this.prng.below(30)),
    };
    this.driver = new StorageDriver(new MemoryDisk(seed), shape, options, seed * 1000);
    this.other = new StorageDriver(new MemoryDisk(-seed), shape, options, seed * 1000 + 500);
    this.marks = new Map();
  }

  run(): void {
    this.driver.start();
    this.driver.put(1);
    this.other.start();
    for (let i = 0; i < stepsPerSeed; i++) {
      this.step();
      if (this.prng.chance(0.3)) this.driver.check(1 + this.prng.below(this.driver.applied + 1));
    }
    this.count();
    this.driver.disk.kill();
    this.driver.start();
    this.driver.check();
  }

  step(): void {
    const { driver, prng } = this;
    const action = prng.below(12);
    if (action < 4) driver.put(driver.applied + 1 + prng.below(30));
    else if (action < 6) driver.compactTo(this.between(driver.compact, driver.applied));
    else if (action < 7) driver.checkpoint(prng.below(driver.applied + 1));
    else if (action < 8) this.busyCheckpoint();
    else if (action < 10) driver.tickFor(10 * (1 + prng.below(30)));
    else if (action < 11) this.restart();
    else this.snapshot();
  }

  /** A checkpoint with everything else going on beside it. */
  busyCheckpoint(): void {
    const { driver, prng } = this;
    const done = driver.beginCheckpoint();
    for (let i = prng.below(4); i >= 0; i--) {
      if (prng.chance(0.5)) driver.put(driver.applied + 1 + prng.below(9));
      if (prng.chance(0.5)) driver.compactTo(this.between(driver.compact, driver.applied));
      if (prng.chance(0.5)) driver.check(1 + prng.below(driver.applied + 1));
      driver.env.nowMs += 10;
      driver.storage.tick(false);
      for (let steps = prng.below(6); steps > 0; steps--) driver.env.step();
    }
    driver.run(done);
  }

  restart(): void {
    const { driver, prng } = this;
    this.count();
    const how = prng.below(4);
    if (how === 0) {
      driver.close();
      driver.disk.kill();
    } else {
      this.crash();
      if (how === 1) driver.disk.kill();
      else driver.disk.powerLoss();
      if (how === 3) {
        this.until(prng.below(30), () => driver.start());
        driver.disk.powerLoss();
      }
    }
    driver.start();
  }

  /** Ends somewhere in the middle of a checkpoint and of reclaiming. */
  crash(): void {
    const { driver, prng } = this;
    this.until(prng.below(40), () => {
      driver.beginCheckpoint();
      driver.tickFor(200);
    });
  }

  until(operations: number, act: () => void): void {
    const { driver } = this;
    driver.crashAt = driver.disk.performed + operations;
    try {
      act();
    } catch (error) {
      if (!(error instanceof Crashed)) throw error;
    }
    driver.crashAt = Number.MAX_SAFE_INTEGER;
  }

  snapshot(): void {
    const { driver, other, prng } = this;
    const ahead = driver.applied + 1 + prng.below(60);
    if (ahead > other.applied) other.put(ahead);
    other.compactTo(this.between(Math.max(other.compact, driver.compact), other.applied));
    other.checkpoint();
    other.tickFor(100);
    const source = must(other.storage.pin(), "a checkpoint is in force");
    other.put(other.applied + 20);
    other.compactTo(other.applied - 5);
    other.checkpoint();
    other.tickFor(100);
    driver.receive(source, 1 + prng.below(30_000));
    source.release();
    other.tickFor(10);
  }

  between(low: number, high: number): number {
    return low + this.prng.below(high - low + 1);
  }

  count(): void {
    for (const mark of this.driver.env.marks) {
      this.marks.set(mark, (this.marks.get(mark) ?? 0) + 1);
    }
  }
}

/** How often each mark was passed in the runs of these seeds. */
export function runSeeds(firstSeed: number, seeds: number): Map<string, number> {
  const marks = new Map<string, number>();
  for (let seed = firstSeed; seed < firstSeed + seeds; seed++) {
    const run = new RandomRun(seed);
    try {
      run.run();
    } catch (error) {
      throw new Error(`seed ${seed}`, { cause: error });
    }
    for (const [mark, count] of run.marks) marks.set(mark, (marks.get(mark) ?? 0) + count);
  }
  return marks;
}
