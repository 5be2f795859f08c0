// Damaged disks in whole clusters: within the atlas the others go on and nothing is lost, beyond it
// the cluster may stop, loudly, and still nothing is lost. Every kind of damage and of failing
// operations is injected, and members that find damage say nothing any more.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { DamageMode } from "../src/damage/disk-budget.ts";
import { damageMarks } from "../src/damage/damage-marks.ts";
import { type FaultKind, faultKinds } from "../src/fault-counts.ts";
import type { FamilyName } from "../src/nemesis/families.ts";
import { Run } from "../src/run.ts";
import type { RunOptions } from "../src/run-options.ts";

const quick = { pauseMinMs: 100, pauseMaxMs: 1_500 };
/** Of other families only these: the damage has to be found, and the runs to be short. */
const kept: readonly FamilyName[] = ["crashes", "partitions"];

function damagedRun(seed: number, mode: DamageMode): Run {
  return new Run(seed, (options) => {
    const { faults } = options;
    for (const name of Object.keys(faults) as FamilyName[]) {
      if (!kept.includes(name)) faults[name] = null;
    }
    options.damage = mode;
    options.members = seed % 3 === 0 ? 5 : 3;
    options.safetyMs = 4_000;
    options.foundingMs = 1;
    options.finalPowerLoss = true;
    harm(options, seed);
  });
}

/** One seed in two has content damage, one in three lost directories, one in three failing disks. */
function harm({ faults }: RunOptions, seed: number): void {
  if (seed % 2 === 0) {
    faults.rot = { killChance: 0.5, lostWrites: true, ...quick };
    faults.brokenFiles = { killChance: 0.5, ...quick };
  }
  if (seed % 3 === 1) faults.lostDisks = { rollbacks: true, ...quick };
  if (seed % 3 === 2) {
    faults.diskErrors = { spells: true, spellMaxMs: 500, ...quick };
    faults.fullDisks = { lengthMaxMs: 1_000, ...quick };
  }
}

interface Totals {
  readonly faults: Map<FaultKind, number>;
  readonly found: Set<string>;
  stopped: number;
  /** Starts that found lost entries or a lost state, and went on to have them mended. */
  mending: number;
  saidByOthers: number;
}

const mendingMarks = ["repair.log.promised", "repair.state.lost"];

function add(totals: Totals, seed: number, mode: DamageMode): void {
  const run = damagedRun(seed, mode);
  const result = run.run();
  for (const [kind, count] of result.faults.entries()) {
    totals.faults.set(kind, (totals.faults.get(kind) ?? 0) + count);
  }
  for (const mark of result.marks.keys()) if (damageMarks.includes(mark)) totals.found.add(mark);
  for (const mark of mendingMarks) totals.mending += result.marks.get(mark)?.passed ?? 0;
  totals.stopped += run.cluster.operator?.leftAlone.size ?? 0;
  totals.saidByOthers += run.watch.damage.stops.checked;
}

test("30 seeds of damage: the others go on, nothing is lost, whoever finds damage is silent", (t) => {
  const totals: Totals = {
    faults: new Map(),
    found: new Set(),
    stopped: 0,
    mending: 0,
    saidByOthers: 0,
  };
  for (let seed = 1; seed <= 30; seed++) add(totals, seed, seed % 5 === 0 ? "beyond" : "atlas");
  const { faults, found, stopped, mending, saidByOthers } = totals;
  t.diagnostic(
    `${stopped} stopped, ${mending} times mended, found: ${[...found].sort().join(" ")}`,
  );
  t.diagnostic([...faults].map(([kind, count]) => `${kind} ${count}`).join(", "));
  const injured = faultKinds.filter((kind) => kind.startsWith("disk."));
  const others: readonly FaultKind[] = ["disk.slow", "disk.stall"];
  const missing = injured.filter((kind) => !others.includes(kind) && faults.get(kind) === 0);
  assert.deepEqual(missing, [], "kinds of damage that no seed has injected");
  assert.ok(stopped > 0, "nobody was stopped");
  assert.ok(mending >= 10, `lost entries and states were mended ${mending} times only`);
  assert.ok(found.size >= 6, `only these were found: ${[...found].join(" ")}`);
  assert.ok(saidByOthers > 100, "nothing is said after somebody has found damage");
});
