// A plan between `quorate recover plan` and `apply`: what was found, what will be done. It holds for
// directories that have not changed since.
import { createHash, randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { UsageError } from "../exit.ts";
import type { GivenDirectory } from "./read-directories.ts";

export interface PlanFile {
  readonly planId: string;
  readonly directories: readonly GivenDirectory[];
  /** One for each directory (`fingerprintOf`). */
  readonly fingerprints: readonly string[];
  readonly dead: readonly string[];
  readonly clusterId: string;
  readonly revisions: number;
  /** To be typed where something may be lost; empty: nothing can be. */
  readonly confirm: string;
  readonly statements: readonly string[];
}

export function makePlanFile(
  content: Omit<PlanFile, "planId" | "clusterId" | "confirm">,
  mayLose: boolean,
): PlanFile {
  const clusterId = randomBytes(8).toString("hex");
  const text = JSON.stringify({ ...content, clusterId });
  const planId = createHash("sha256").update(text).digest("hex").slice(0, 12);
  return { ...content, clusterId, planId, confirm: mayLose ? `lose-${planId.slice(0, 4)}` : "" };
}

export function readPlanFile(path: string): PlanFile {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    throw new UsageError(`${path}: cannot be read: ${(error as NodeJS.ErrnoException).code}`);
  }
  try {
    const plan = JSON.parse(text) as Partial<PlanFile>;
    const isPlan = typeof plan.planId === "string" && Array.isArray(plan.fingerprints);
    if (isPlan) return plan as PlanFile;
  } catch {
    // Said below.
  }
  throw new UsageError(`${path}: not a plan of quorate recover`);
}
