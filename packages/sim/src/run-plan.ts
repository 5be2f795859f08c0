// Which run is wanted: a seed and what is taken away from what the seed draws. A plan is what a
// command line says, what a worker is told and what a shrunk failure is: they repeat a run exactly.
import { authDefaults } from "./client/auth-load.ts";
import type { DamageMode } from "./damage/disk-budget.ts";
import { type FamilyName, familyNames } from "./nemesis/families.ts";
import { Run } from "./run.ts";
import type { RunOptions } from "./run-options.ts";
import { targetedRun } from "./targeted.ts";

export interface RunPlan {
  readonly seed: number;
  /** A short run that crashes a process at the seed's mark (targeted.ts). */
  readonly targeted: boolean;
  /** Null: as drawn. */
  readonly members: number | null;
  readonly clients: number | null;
  /** Virtual seconds with load and faults; null: as drawn. */
  readonly seconds: number | null;
  /** Families of faults that stay off. */
  readonly without: readonly FamilyName[];
  /** No loss, duplicates or delays beyond the defaults. */
  readonly calmNetwork: boolean;
  /** How much disks may be damaged; null: as drawn. */
  readonly damage: DamageMode | null;
  /** There are users and rights, whatever the seed. */
  readonly auth: boolean;
  /** The history is searched through, too, whatever the seed. */
  readonly search: boolean;
  /** Numbers of acts and operations that do not happen (action-gate.ts). */
  readonly refuse: readonly number[];
}

export function planOf(seed: number): RunPlan {
  return {
    seed,
    targeted: false,
    members: null,
    clients: null,
    seconds: null,
    without: [],
    calmNetwork: false,
    damage: null,
    auth: false,
    search: false,
    refuse: [],
  };
}

export function makeRun(plan: RunPlan): Run {
  const adjust = (options: RunOptions): void => adjustOptions(options, plan);
  const run = plan.targeted ? targetedRun(plan.seed, adjust) : new Run(plan.seed, adjust);
  for (const number of plan.refuse) run.world.actions.refused.add(number);
  return run;
}

function adjustOptions(options: RunOptions, plan: RunPlan): void {
  options.members = plan.members ?? options.members;
  options.clients = plan.clients ?? options.clients;
  if (plan.seconds !== null) options.safetyMs = Math.round(plan.seconds * 1000);
  for (const name of plan.without) options.faults[name] = null;
  if (plan.calmNetwork) options.network = {};
  options.damage = plan.damage ?? options.damage;
  if (plan.auth) options.auth ??= authDefaults;
  if (plan.search) options.search = true;
}

/** The arguments of `npm run sim --` that repeat the run. */
export function planArguments(plan: RunPlan): string {
  const parts = [`--seed ${plan.seed}`];
  if (plan.targeted) parts.push("--targeted");
  if (plan.members !== null) parts.push(`--members ${plan.members}`);
  if (plan.clients !== null) parts.push(`--clients ${plan.clients}`);
  if (plan.seconds !== null) parts.push(`--seconds ${plan.seconds}`);
  if (plan.without.length > 0) parts.push(`--without ${plan.without.join(",")}`);
  if (plan.calmNetwork) parts.push("--calm-network");
  if (plan.damage !== null) parts.push(`--damage ${plan.damage}`);
  if (plan.auth) parts.push("--auth");
  if (plan.search) parts.push("--search");
  if (plan.refuse.length > 0) parts.push(`--refuse ${formatNumbers(plan.refuse)}`);
  return parts.join(" ");
}

/** Ascending numbers as "0-4,7,9-12". */
export function formatNumbers(numbers: readonly number[]): string {
  const parts: string[] = [];
  for (let at = 0; at < numbers.length; at++) {
    const first = numbers[at]!;
    while (numbers[at + 1] === numbers[at]! + 1) at++;
    const last = numbers[at]!;
    parts.push(first === last ? String(first) : `${first}-${last}`);
  }
  return parts.join(",");
}

/** Null: not such a list. */
export function parseNumbers(text: string): number[] | null {
  const numbers: number[] = [];
  for (const part of text.split(",")) {
    const match = /^(\d{1,9})(?:-(\d{1,9}))?$/.exec(part);
    if (match === null) return null;
    const first = Number(match[1]);
    const last = match[2] === undefined ? first : Number(match[2]);
    if (last < first || last - first > 1_000_000) return null;
    for (let number = first; number <= last; number++) numbers.push(number);
  }
  return numbers;
}

/** The unknown name, or the families. */
export function parseFamilies(text: string): FamilyName[] | string {
  const names = text.split(",");
  const unknown = names.find((name) => !(familyNames as readonly string[]).includes(name));
  return unknown ?? (names as FamilyName[]);
}
