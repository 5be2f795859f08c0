// The row store against a dumb twin. Method: random steps of every kind on one member (see
// testing/storage-random-run.ts). Goal: whatever the order, every row that is needed is read by its
// ref and by a walk, and nothing comes back changed.
import test from "node:test";
import { ok } from "node:assert";
import { runSeeds } from "./testing/storage-random-run.ts";

const seeds = Number(process.env["SEEDS"] ?? 60);
const firstSeed = Number(process.env["SEED"] ?? 1);

test(`rows agree with their twin through anything, ${seeds} seeds`, (t) => {
  const marks = runSeeds(firstSeed, seeds);
  t.diagnostic([...marks].map(([mark, count]) => `${mark} ${count}`).join(", "));
  for (const mark of [
    "checkpoint.in-force",
    "reclaim.dropped",
    "reclaim.in-force",
    "install.in-force",
  ]) {
    ok((marks.get(mark) ?? 0) >= seeds / 4, `${mark} is reached often enough`);
  }
});
