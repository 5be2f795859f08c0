// The two directories of a member around a recovery, and which of them has its place: the one before it,
// and the one that the plan makes. Every step is a rename, and each can be repeated after a crash.
import { closeSync, existsSync, fsyncSync, openSync, renameSync } from "node:fs";
import { rm } from "node:fs/promises";
import { dirname } from "node:path";
import { NodeDisk } from "@quorate/server";
import { GenesisState, ownerNow } from "@quorate/storage";
import { CommandError } from "../exit.ts";
import type { GivenDirectory } from "./read-directories.ts";

/** What of a plan its directories are named by, and recognised. */
export interface PlanNames {
  readonly planId: string;
  readonly clusterId: string;
}

export const Place = {
  /** As it was before the plan, nothing beside it. */
  Before: "before",
  /** Nothing has been exchanged; an apply was cut off while it wrote, or right after. */
  Staged: "staged",
  /** Cut off between two renames: nothing has the directory's name. */
  Between: "between",
  /** The new one is in place, and no member has been started on it. */
  Applied: "applied",
  /** A member has been started on the new one. */
  Started: "started",
  /** Neither the old nor the new one is there. */
  Missing: "missing",
} as const;
export type Place = (typeof Place)[keyof typeof Place];

/** Which it is now. Reads only. */
export function placeOf({ directory }: GivenDirectory, plan: PlanNames): Place {
  const owner = ownerNow({ disk: new NodeDisk() }, directory);
  if (owner?.clusterId === plan.clusterId) {
    // Whatever became of it since, a recovery leaves it founded and opened once.
    const { bootCount, genesisState } = owner;
    const isNew = bootCount === 1 && genesisState === GenesisState.Started;
    return isNew ? Place.Applied : Place.Started;
  }
  const isThere = existsSync(directory);
  if (existsSync(keptName(directory, plan)) && !isThere) return Place.Between;
  if (!isThere) return Place.Missing;
  return existsSync(stagedName(directory, plan)) ? Place.Staged : Place.Before;
}

export function stagedName(directory: string, { planId }: PlanNames): string {
  return `${directory}.recovered-${planId}`;
}

export function keptName(directory: string, { planId }: PlanNames): string {
  return `${directory}.before-${planId}`;
}

/** Both, where the log has one of its own. */
export function partsOf({ directory, walDirectory }: GivenDirectory): string[] {
  return walDirectory === null ? [directory] : [directory, walDirectory];
}

/** The new one takes the place of the old one, which is kept beside it. */
export function putNew(directory: string, plan: PlanNames): void {
  const staged = stagedName(directory, plan);
  const kept = keptName(directory, plan);
  if (!existsSync(kept)) move(directory, kept);
  if (existsSync(staged)) move(staged, directory);
  syncDirectory(dirname(directory));
}

/** The other way round. */
export async function putBack(directory: string, plan: PlanNames): Promise<void> {
  const staged = stagedName(directory, plan);
  const kept = keptName(directory, plan);
  if (!existsSync(kept)) return;
  if (existsSync(directory)) {
    await rm(staged, { recursive: true, force: true });
    move(directory, staged);
  }
  move(kept, directory);
  syncDirectory(dirname(directory));
}

export async function removeStaged(directory: string, plan: PlanNames): Promise<void> {
  await rm(stagedName(directory, plan), { recursive: true, force: true });
}

function move(from: string, to: string): void {
  try {
    renameSync(from, to);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const isMounted = code === "EBUSY" || code === "EXDEV";
    const hint = isMounted ? ": it is a mount point; recover a copy of it somewhere else" : "";
    throw new CommandError(`${from} cannot be renamed to ${to}: ${code}${hint}`);
  }
}

/** The names in it outlive a loss of power. */
function syncDirectory(directory: string): void {
  const descriptor = openSync(directory, "r");
  fsyncSync(descriptor);
  closeSync(descriptor);
}
