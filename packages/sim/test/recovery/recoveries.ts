// Many recoveries: so many seeds, at six random moments of each run.
import assert from "node:assert/strict";
import { Run } from "../../src/run.ts";
import { Trial } from "./trial.ts";

const safetyMs = 10_000;
const looksPerRun = 6;

export interface Seen {
  plans: number;
  /** Something that was committed was not kept, as the plan said. */
  lost: number;
  /** Writes that clients had heard OK for, among that. */
  lostWrites: number;
  /** The plan could promise everything. */
  certain: number;
  /** A crash cut the writing off, and it was done again. */
  repeated: number;
  /** Members that were given up and came back, and ended with 74. */
  told: number;
}

export function recoveries(firstSeed: number, seeds: number): Seen {
  const seen: Seen = { plans: 0, lost: 0, lostWrites: 0, certain: 0, repeated: 0, told: 0 };
  for (let seed = firstSeed; seed < firstSeed + seeds; seed++) {
    const run = new Run(seed, (options) => {
      options.members = [3, 4, 5][seed % 3]!;
      options.safetyMs = safetyMs;
      options.finalPowerLoss = false;
    });
    const random = run.world.random("quorum loss");
    for (let looks = 0; looks < looksPerRun; looks++) {
      run.world.after(random.between(1_000, safetyMs) * 1000, () => {
        look(run, seed * looksPerRun + looks, seen);
      });
    }
    run.run();
  }
  return seen;
}

function look(run: Run, seed: number, seen: Seen): void {
  const trial = new Trial(run, seed, Math.floor(run.options.members / 2));
  const plan = trial.plan();
  if (typeof plan === "string") {
    assert.match(plan, /no data directory|a quorum is left|no such member|none of the cluster/);
    return;
  }
  try {
    const { truth, repeated, told } = trial.carryOut(plan);
    seen.plans += 1;
    if (truth.lostEntries > 0) seen.lost += 1;
    seen.lostWrites += truth.lostWrites;
    if (!plan.mayLose) seen.certain += 1;
    if (repeated) seen.repeated += 1;
    seen.told += told;
  } catch (error) {
    const at = `seed ${run.world.seed} at ${run.world.nowMs} ms, trial ${seed}`;
    throw new Error(`${at}: ${(error as Error).message}`, { cause: error });
  }
}
