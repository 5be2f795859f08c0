// etcd's --force-new-cluster: a cluster of this member alone, from what its directory holds, whatever
// became of the others. The work is a recovery's (recover/), so that the others are fenced where they
// come back; the flag has no effect on a member that is alone already, as in etcd.
import { randomBytes } from "node:crypto";
import { planAlone } from "@quorate/host";
import type { HostConfig } from "@quorate/host";
import type { MemberOptions } from "@quorate/server";
import { UsageError } from "../exit.ts";
import { keptName, partsOf, putNew } from "../recover/exchange.ts";
import { type GivenDirectory, readAll } from "../recover/read-directories.ts";
import { OfflineDisk, stageNew } from "../recover/stage.ts";

/** As `quorate recover plan` without --bump-revision. */
const revisions = 1_000_000_000;

/** Done before the member starts, and with its lock let go. */
export async function forceNewCluster({ host, logger }: MemberOptions): Promise<void> {
  const given = directoryOf(host);
  const disk = new OfflineDisk();
  disk.lock(given.directory);
  const [survivor] = readAll([given]);
  const plan = planAlone(survivor!);
  if (plan === null) {
    disk.unlock();
    logger.info("--force-new-cluster has no effect: this member is alone in its cluster");
    return;
  }
  if (!plan.ok) throw new UsageError(plan.reason);
  const names = {
    planId: randomBytes(6).toString("hex"),
    clusterId: randomBytes(8).toString("hex"),
  };
  logger.warn(
    "--force-new-cluster looks at one directory only: quorate recover compares all that are left, and " +
      "says what may be lost before anything is done",
  );
  for (const statement of plan.statements) logger.warn(statement.trim());
  const staging = { ...names, plan, revisions, survivors: [survivor!], directories: [given] };
  await stageNew(disk.env, staging);
  for (const part of partsOf(given)) putNew(part, names);
  disk.unlock();
  const others = plan.dead.map(({ name, memberId }) => name || memberId).join(",");
  logger.warn(
    { cluster: names.clusterId, others, kept: keptName(given.directory, names) },
    "a new cluster of this member alone",
  );
}

function directoryOf({ directory, walDirectory }: HostConfig): GivenDirectory {
  return { directory: directory.replace(/(?<=.)\/+$/, ""), walDirectory };
}
