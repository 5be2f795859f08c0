// Storage alone on the simulated disk, under random writes, crashes and power losses.
import assert from "node:assert/strict";
import { test } from "node:test";
import { StorageTorture } from "./storage-torture.ts";

const seeds = Number(process.env["SEEDS"] ?? 40);
const firstSeed = Number(process.env["SEED"] ?? 0);

test(`storage recovers what it acknowledged, ${seeds} seeds of 12 crashes each`, () => {
  const total = { crashes: 0, batches: 0, checkpoints: 0, dead: 0 };
  const marks = new Map<string, number>();
  for (let seed = firstSeed; seed < firstSeed + seeds; seed++) {
    const torture = new StorageTorture(seed);
    try {
      torture.run(12);
    } catch (error) {
      const tail = torture.world.trace.tail(15).join("\n");
      throw new Error(`seed ${seed}: ${(error as Error).stack}\n${tail}`, { cause: error });
    }
    total.crashes += torture.crashes;
    total.batches += torture.batchesAcknowledged;
    total.checkpoints += torture.checkpointsDone;
    total.dead += torture.rowsDead;
    for (const [mark, count] of torture.marks) marks.set(mark, (marks.get(mark) ?? 0) + count);
  }
  assert.ok(total.batches > seeds * 100, JSON.stringify(total));
  assert.ok(total.checkpoints > seeds * 3, JSON.stringify(total));
  assert.ok(marks.size > 5, [...marks.keys()].join(" "));
});

test("two runs of a seed agree", () => {
  const run = (): string => {
    const torture = new StorageTorture(5);
    torture.run(5);
    return torture.world.unseed();
  };
  assert.equal(run(), run());
});
