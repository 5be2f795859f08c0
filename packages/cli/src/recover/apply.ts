// `quorate recover apply`: writes a new data directory for each survivor beside the old one, and only
// when all are durable puts them in its place; the old ones are kept. It can be repeated after a crash.
import { closeSync, existsSync, fsyncSync, openSync, renameSync } from "node:fs";
import { rm } from "node:fs/promises";
import { dirname } from "node:path";
import { planRecovery, writeMembers } from "@quorate/host";
import { makeLogger, offlineEnv } from "@quorate/server";
import type { Env } from "@quorate/storage";
import { CommandError, UsageError } from "../exit.ts";
import { type PlanFile, readPlanFile } from "./plan-file.ts";
import { fingerprintOf, type GivenDirectory, readAll } from "./read-directories.ts";

export interface ApplyOptions {
  readonly confirm?: string;
}

export async function apply(path: string, { confirm }: ApplyOptions): Promise<void> {
  const file = readPlanFile(path);
  if (file.confirm !== "" && confirm !== file.confirm) {
    throw new UsageError(
      `acknowledged writes may be lost (see ${path}): repeat with --confirm ${file.confirm}`,
    );
  }
  const old = file.directories.filter(({ directory }) => !existsSync(keptName(directory, file)));
  if (old.length === file.directories.length) await stage(file, path);
  // The data directory first: once it is exchanged, an apply that is repeated goes on from there.
  for (const { directory, walDirectory } of file.directories) {
    exchange(directory, file);
    if (walDirectory !== null) exchange(walDirectory, file);
  }
  process.stdout.write(`${endOf(file).join("\n")}\n`);
}

async function stage(file: PlanFile, path: string): Promise<void> {
  const logger = makeLogger("recover", "warn", "text");
  const env = offlineEnv(logger, (_, reason) => {
    throw new CommandError(reason);
  });
  for (const { directory } of file.directories) lock(env, directory);
  const survivors = readAll(file.directories);
  const changed = survivors.find((one, at) => fingerprintOf(one) !== file.fingerprints[at]);
  if (changed !== undefined) {
    const { directory } = changed.inspected;
    throw new UsageError(`${directory} has changed since the plan ${path} was made: plan anew`);
  }
  const plan = planRecovery(survivors, file.dead);
  if (!plan.ok) throw new UsageError(plan.reason);
  const directories = file.directories.map(({ directory, walDirectory }, at) => ({
    survivor: survivors[at]!,
    directory: stagedName(directory, file),
    walDirectory: walDirectory === null ? null : stagedName(walDirectory, file),
  }));
  for (const directory of directories) await removeLeftovers(directory);
  const { planId, clusterId, revisions } = file;
  const recovery = { plan, planId, clusterId, revisions, directories };
  const refusal = await new Promise<{ readonly reason: string } | null>((resolve) => {
    writeMembers(env, recovery, resolve);
  });
  if (refusal !== null) throw new CommandError(refusal.reason);
}

/** Held until this command ends: nobody starts a member meanwhile. */
function lock(env: Env, directory: string): void {
  const error = env.disk.lockNow(`${directory}/LOCK`);
  if (error === null) return;
  throw new UsageError(
    error.code === "EBUSY"
      ? `${directory} is in use: stop its member first`
      : `${directory} cannot be locked: ${error.code}`,
  );
}

/** Of an apply that did not come to its end. */
async function removeLeftovers({ directory, walDirectory }: GivenDirectory): Promise<void> {
  await rm(directory, { recursive: true, force: true });
  if (walDirectory !== null) await rm(walDirectory, { recursive: true, force: true });
}

function exchange(directory: string, file: PlanFile): void {
  const staged = stagedName(directory, file);
  const kept = keptName(directory, file);
  if (!existsSync(kept)) renameSync(directory, kept);
  if (existsSync(staged)) renameSync(staged, directory);
  syncDirectory(dirname(directory));
}

/** The names in it outlive a loss of power. */
function syncDirectory(directory: string): void {
  const descriptor = openSync(directory, "r");
  fsyncSync(descriptor);
  closeSync(descriptor);
}

function stagedName(directory: string, { planId }: PlanFile): string {
  return `${directory}.recovered-${planId}`;
}

function keptName(directory: string, { planId }: PlanFile): string {
  return `${directory}.before-${planId}`;
}

function endOf(file: PlanFile): string[] {
  const names = file.directories.map(({ directory }) => directory);
  return [
    `Recovered as cluster ${file.clusterId}: ${names.join(", ")}`,
    `The old directories are kept beside them, as …before-${file.planId}.`,
    "Start these members with their old flags and --initial-cluster-state existing,",
    "then add new ones. Never start a dead member again with what it had: it is refused,",
    "but two of them alone would not know.",
  ];
}
