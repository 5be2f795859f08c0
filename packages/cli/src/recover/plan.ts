// `quorate recover plan`: prints what a recovery would keep, may lose and why, and writes it down.
import { planRecovery, type RecoveryPlan } from "@quorate/host";
import { UsageError } from "../exit.ts";
import { makePlanFile, nameOf, writePlanFile } from "./plan-file.ts";
import { parseDirectory, readAll } from "./read-directories.ts";

export interface PlanOptions {
  readonly dead: readonly string[];
  readonly bumpRevision: number;
  readonly out: string;
}

export function plan(directories: readonly string[], options: PlanOptions): void {
  const given = directories.map(parseDirectory);
  const survivors = readAll(given);
  const planned = planRecovery(survivors, options.dead);
  if (!planned.ok) throw new UsageError(planned.reason);
  const file = makePlanFile({
    planned,
    directories: given,
    survivors,
    dead: options.dead,
    revisions: options.bumpRevision,
  });
  writePlanFile(options.out, file);
  const lines = [...linesOf(planned), "", `Written to ${options.out} as plan ${file.planId}.`];
  const confirm = file.confirm === "" ? "" : ` --confirm ${file.confirm}`;
  lines.push(`To carry it out: quorate recover apply ${options.out}${confirm}`);
  process.stdout.write(`${lines.join("\n")}\n`);
}

function linesOf(planned: RecoveryPlan): string[] {
  const { winner, survivors, dead, voters, quorum, statements } = planned;
  const { lastIndex, lastTerm, lastWallMs } = winner;
  return [
    `The cluster had ${voters} voters; a quorum is ${quorum}, and ${survivors.length} are left.`,
    `  left  ${survivors.map(nameOf).join(", ")}`,
    `  dead  ${dead.map(nameOf).join(", ")}`,
    `${nameOf(winner)} has the newest log: it ends with entry ${lastIndex} of term ` +
      `${lastTerm}. The survivors begin anew with it, as a new cluster of ${survivors.length}.`,
    ...(lastWallMs === 0 ? [] : [`Its last entry was written at ${isoTime(lastWallMs)}.`]),
    "",
    ...statements,
  ];
}

function isoTime(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}
