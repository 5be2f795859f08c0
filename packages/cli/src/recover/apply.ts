// `quorate recover apply`: writes a new data directory for each survivor beside the old one, and only
// when all are durable puts them in its place; the old ones are kept. It can be repeated after a crash.
import { existsSync } from "node:fs";
import { planRecovery } from "@quorate/host";
import { UsageError } from "../exit.ts";
import { keptName, partsOf, putNew } from "./exchange.ts";
import { type PlanFile, readPlanFile } from "./plan-file.ts";
import { fingerprintOf, readAll } from "./read-directories.ts";
import { OfflineDisk, stageNew } from "./stage.ts";

export interface ApplyOptions {
  readonly confirm?: string;
}

export async function apply(path: string, { confirm }: ApplyOptions): Promise<void> {
  const file = readPlanFile(path);
  if (file.abandoned) throw new UsageError(`the plan ${path} was abandoned: make a new one`);
  if (file.confirm !== "" && confirm !== file.confirm) {
    throw new UsageError(
      `acknowledged writes may be lost (see ${path}): repeat with --confirm ${file.confirm}`,
    );
  }
  const old = file.directories.filter(({ directory }) => !existsSync(keptName(directory, file)));
  if (old.length === file.directories.length) await stage(file, path);
  // The data directory first: once it is exchanged, an apply that is repeated goes on from there.
  for (const given of file.directories) {
    for (const part of partsOf(given)) putNew(part, file);
  }
  process.stdout.write(`${endOf(file, path).join("\n")}\n`);
}

async function stage(file: PlanFile, path: string): Promise<void> {
  const disk = new OfflineDisk();
  for (const { directory } of file.directories) disk.lock(directory);
  const survivors = readAll(file.directories);
  const changed = survivors.find((one, at) => fingerprintOf(one) !== file.fingerprints[at]);
  if (changed !== undefined) {
    const { directory } = changed.inspected;
    throw new UsageError(`${directory} has changed since the plan ${path} was made: plan anew`);
  }
  const plan = planRecovery(survivors, file.dead);
  if (!plan.ok) throw new UsageError(plan.reason);
  const { directories, planId, clusterId, revisions } = file;
  await stageNew(disk.env, { plan, survivors, directories, planId, clusterId, revisions });
}

function endOf(file: PlanFile, path: string): string[] {
  const names = file.directories.map(({ directory }) => directory);
  return [
    `Recovered as cluster ${file.clusterId}: ${names.join(", ")}`,
    `The old directories are kept beside them, as …before-${file.planId}. Until one of these members`,
    `is started, quorate recover abandon ${path} puts them back.`,
    "Start these members with their old flags and --initial-cluster-state existing, look with",
    `quorate recover verify ${path} ENDPOINT..., then add new ones. Never start a dead member`,
    "again with what it had: it is refused, but two of them alone would not know. Where their disks",
    `can be reached: quorate recover fence ${path} DIR...`,
  ];
}
