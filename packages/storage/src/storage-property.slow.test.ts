// storage-property.test.ts with as many seeds as five minutes hold, new ones in each run if asked.
import test from "node:test";
import { ok } from "node:assert";
import { runSeeds } from "./testing/storage-random-run.ts";

const seeds = Number(process.env["SEEDS"] ?? 2000);
const firstSeed = Number(process.env["SEED"] ?? 100_000);

test(`rows agree with their twin, ${seeds} seeds`, () => {
  ok((runSeeds(firstSeed, seeds).get("checkpoint.in-force") ?? 0) > seeds);
});
