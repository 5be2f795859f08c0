// A plan between `quorate recover plan` and `apply`: what was found, what will be done. It holds for
// directories that have not changed since.
import { createHash, randomBytes } from "node:crypto";
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { must } from "@quorate/base";
import { addressOfUrl } from "@quorate/host";
import type { RecoveryPlan, Survivor } from "@quorate/host";
import { UsageError } from "../exit.ts";
import { fingerprintOf, type GivenDirectory } from "./read-directories.ts";

export interface PlannedMember {
  readonly name: string;
  readonly memberId: string;
  /** "host:port" for peers. */
  readonly addresses: readonly string[];
}

export interface PlanFile {
  readonly planId: string;
  readonly directories: readonly GivenDirectory[];
  /** One for each directory (`fingerprintOf`). */
  readonly fingerprints: readonly string[];
  /** One for each directory: the members that go on. */
  readonly survivors: readonly PlannedMember[];
  readonly dead: readonly string[];
  /** The members that are given up. */
  readonly lost: readonly PlannedMember[];
  readonly voters: number;
  readonly oldClusterId: string;
  readonly oldGenesisId: number;
  readonly clusterId: string;
  readonly revisions: number;
  /** To be typed where something may be lost; empty: nothing can be. */
  readonly confirm: string;
  readonly statements: readonly string[];
  /** `quorate recover abandon` has put the old directories back: nothing more comes of it. */
  readonly abandoned: boolean;
}

export interface PlanFileParts {
  readonly planned: RecoveryPlan;
  readonly directories: readonly GivenDirectory[];
  /** In the order of the directories. */
  readonly survivors: readonly Survivor[];
  readonly dead: readonly string[];
  readonly revisions: number;
}

export function makePlanFile(parts: PlanFileParts): PlanFile {
  const { planned, directories, survivors, dead, revisions } = parts;
  const { winner, statements, mayLose, voters } = planned;
  const content = {
    directories,
    fingerprints: survivors.map(fingerprintOf),
    survivors: survivors.map(({ memberId }) => {
      const record = must(winner.membership.byMemberId(memberId), "a survivor is a member");
      return plannedMember(record.name, memberId, record.peerUrls);
    }),
    dead,
    lost: planned.dead.map(({ name, memberId, peerUrls }) =>
      plannedMember(name, memberId, peerUrls),
    ),
    voters,
    oldClusterId: winner.clusterId,
    oldGenesisId: winner.genesisId,
    clusterId: randomBytes(8).toString("hex"),
    revisions,
    statements,
    abandoned: false,
  };
  const planId = createHash("sha256").update(JSON.stringify(content)).digest("hex").slice(0, 12);
  return { ...content, planId, confirm: mayLose ? `lose-${planId.slice(0, 4)}` : "" };
}

function plannedMember(name: string, memberId: string, peerUrls: readonly string[]): PlannedMember {
  return { name, memberId, addresses: peerUrls.map(addressOfUrl) };
}

export function writePlanFile(path: string, file: PlanFile): void {
  // Whole or as it was: it says whether a recovery was abandoned.
  const draft = `${path}.draft`;
  writeFileSync(draft, `${JSON.stringify(file, null, 2)}\n`, { mode: 0o600, flush: true });
  renameSync(draft, path);
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
    const lists = [plan.fingerprints, plan.directories, plan.survivors, plan.lost];
    const isPlan = typeof plan.planId === "string" && lists.every(Array.isArray);
    if (isPlan) return plan as PlanFile;
  } catch {
    // Said below.
  }
  throw new UsageError(`${path}: not a plan of quorate recover`);
}

export function nameOf({ name, memberId }: Pick<PlannedMember, "name" | "memberId">): string {
  return name || memberId;
}
