// Runs a range of seeds and keeps what the whole range must show: how many operations, elections,
// wipes and power losses, and at which marks processes have crashed.
import assert from "node:assert/strict";
import { crashPoints } from "../src/crash-points.ts";
import { damageMarks, storyMarks, unreachableMarks } from "../src/damage/damage-marks.ts";
import type { RunResult } from "../src/run.ts";
import { targetedRun } from "../src/targeted.ts";

const extraRunsMax = 20;

export interface SuiteTotals {
  runs: number;
  ok: number;
  refused: number;
  unknown: number;
  leaders: number;
  boots: number;
  wipes: number;
  durabilityChecks: number;
  virtualMs: number;
  readonly members: Map<number, number>;
  readonly crashedAt: Map<string, number>;
  readonly passed: Set<string>;
}

export function runSeeds(from: number, count: number): SuiteTotals {
  const totals: SuiteTotals = {
    runs: 0,
    ok: 0,
    refused: 0,
    unknown: 0,
    leaders: 0,
    boots: 0,
    wipes: 0,
    durabilityChecks: 0,
    virtualMs: 0,
    members: new Map(),
    crashedAt: new Map(),
    passed: new Set(),
  };
  for (let seed = from; seed < from + count; seed++) add(totals, runSeed(seed));
  for (const [place, { mark }] of crashPoints.entries()) {
    // Rare marks are not passed in every run that aims at them.
    for (let extra = 1; extra <= extraRunsMax && !totals.crashedAt.has(mark); extra++) {
      add(totals, runSeed((from + 1_000 * extra) * crashPoints.length + place));
    }
  }
  return totals;
}

/** A failure names the seed and how to see it again. */
export function runSeed(seed: number): RunResult {
  const run = targetedRun(seed);
  try {
    return run.run();
  } catch (error) {
    const tail = run.world.trace.tail(20).join("\n");
    const again = `npm run sim -- --seed ${seed} --targeted`;
    throw new Error(`${again}\n${(error as Error).stack}\n${run.describe()}\n${tail}`, {
      cause: error,
    });
  }
}

function add(totals: SuiteTotals, result: RunResult): void {
  totals.runs++;
  totals.ok += result.operations.ok;
  totals.refused += result.operations.refused;
  totals.unknown += result.operations.unknown;
  totals.leaders += result.leaders;
  totals.boots += result.boots;
  totals.wipes += result.faults.of("process.wipe");
  totals.durabilityChecks += result.durabilityChecks;
  totals.virtualMs += result.virtualMs;
  const { members } = result.options;
  totals.members.set(members, (totals.members.get(members) ?? 0) + 1);
  for (const [mark, { passed, crashed }] of result.marks) {
    if (passed > 0) totals.passed.add(mark);
    if (crashed > 0) totals.crashedAt.set(mark, (totals.crashedAt.get(mark) ?? 0) + crashed);
  }
}

export function describeTotals(totals: SuiteTotals): string {
  const { crashedAt, passed, members, ...numbers } = totals;
  const sets = { marks: passed.size, crashed: crashedAt.size, members: [...members] };
  return JSON.stringify({ ...numbers, ...sets });
}

/** The coverage table: a crash at every listed mark, and no mark that is not listed. */
export function assertCoverage(totals: SuiteTotals): void {
  const listed = new Set(crashPoints.map(({ mark }) => mark));
  const missed = [...listed].filter((mark) => !totals.crashedAt.has(mark));
  assert.deepEqual(missed, [], "no process has crashed at these marks");
  const known = new Set([...listed, ...damageMarks, ...unreachableMarks, ...storyMarks]);
  const unlisted = [...totals.passed].filter((mark) => !known.has(mark));
  assert.deepEqual(unlisted, [], "these marks are missing in crash-points.ts");
  for (const count of [1, 3, 5]) {
    assert.ok((totals.members.get(count) ?? 0) > 0, `no run of ${count} members`);
  }
}
