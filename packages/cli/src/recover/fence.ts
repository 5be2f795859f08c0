// `quorate recover fence`: a tombstone in directories of members that a plan has given up, so that a start
// there ends with 74 and says why. It can be repeated; what the plan keeps is refused.
import { type DirectoryOwner, fenceDirectory, type Refusal } from "@quorate/storage";
import { exitCodes, UsageError } from "../exit.ts";
import { nameOf, type PlanFile, readPlanFile } from "./plan-file.ts";
import { OfflineDisk } from "./stage.ts";

export interface FenceOptions {
  /** Takes tombstones away, of a plan that was abandoned. */
  readonly lift: boolean;
}

export async function fence(
  path: string,
  directories: readonly string[],
  { lift }: FenceOptions,
): Promise<void> {
  const file = readPlanFile(path);
  if (lift !== file.abandoned) {
    throw new UsageError(
      lift
        ? `the plan ${path} was not abandoned: what it has fenced stays so`
        : `the plan ${path} was abandoned: it fences nobody`,
    );
  }
  const text = lift ? "" : tombstone(file);
  const disk = new OfflineDisk();
  for (const directory of directories) {
    let owner: DirectoryOwner | null = null;
    const refusal = await new Promise<Refusal | null>((resolve) => {
      const judge = (found: DirectoryOwner): string | null => {
        owner = found;
        return against(file, found, lift);
      };
      fenceDirectory(disk.env, directory, text, judge, resolve);
    });
    const done = lift ? "opened" : "fenced";
    if (refusal === null) {
      process.stdout.write(`${done}  ${directory} (${memberOf(file, owner!)})\n`);
    } else {
      process.stdout.write(`! ${refusal.reason}\n`);
      process.exitCode = exitCodes.failed;
    }
  }
}

function tombstone({ oldClusterId, clusterId, planId }: PlanFile): string {
  return `cluster ${oldClusterId} lost its quorum and goes on as ${clusterId}, by plan ${planId}`;
}

function against(file: PlanFile, owner: DirectoryOwner, lift: boolean): string | null {
  const { oldClusterId, clusterId, survivors, planId } = file;
  const kept = survivors.find(({ memberId }) => memberId === owner.memberId);
  if (owner.clusterId === clusterId) return `it belongs to cluster ${clusterId}, which goes on`;
  if (owner.clusterId !== oldClusterId) {
    return `it belongs to cluster ${owner.clusterId}, the plan is about ${oldClusterId}`;
  }
  if (kept !== undefined) return `it belongs to ${nameOf(kept)}, which the plan keeps`;
  const isOther = owner.supersededBy !== "" && !owner.supersededBy.includes(planId);
  return lift && isOther ? `another tombstone is there: ${owner.supersededBy}` : null;
}

function memberOf({ lost }: PlanFile, { memberId }: DirectoryOwner): string {
  const member = lost.find((one) => one.memberId === memberId);
  return `member ${member === undefined ? memberId : nameOf(member)}`;
}
