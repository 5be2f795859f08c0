// Writes the new directories of a plan beside the old ones, all durable at the end. Nothing that was there
// before is touched, so it can be done again.
import { writeMembers } from "@quorate/host";
import type { Recovery, RecoveryPlan, Survivor } from "@quorate/host";
import { makeLogger, NodeDisk, offlineEnv } from "@quorate/server";
import type { TlsOptions } from "@quorate/server";
import { ExitCode } from "@quorate/storage";
import type { Env } from "@quorate/storage";
import { CommandError, UsageError } from "../exit.ts";
import { partsOf, type PlanNames, removeStaged, stagedName } from "./exchange.ts";
import type { GivenDirectory } from "./read-directories.ts";

export interface Staging extends PlanNames {
  readonly plan: RecoveryPlan;
  readonly revisions: number;
  /** In the order of the directories. */
  readonly survivors: readonly Survivor[];
  readonly directories: readonly GivenDirectory[];
}

export class OfflineDisk {
  readonly #disk: NodeDisk;
  readonly env: Env;

  /** `tls`: for peers that are dialled; null: no certificate to show. */
  constructor(name: string = "recover", tls: TlsOptions | null = null) {
    this.#disk = new NodeDisk();
    const logger = makeLogger(name, "warn", "text");
    const fatal = (code: number, reason: string): never => {
      throw code === ExitCode.Usage ? new UsageError(reason) : new CommandError(reason);
    };
    this.env = offlineEnv(logger, fatal, this.#disk, tls);
  }

  /** Held until `unlock`, or until this command ends: nobody starts a member meanwhile. */
  lock(directory: string): void {
    const error = this.#disk.lockNow(`${directory}/LOCK`);
    if (error === null) return;
    throw new UsageError(
      error.code === "EBUSY"
        ? `${directory} is in use: stop its member first`
        : `${directory} cannot be locked: ${error.code}`,
    );
  }

  unlock(): void {
    this.#disk.unlock();
  }
}

export async function stageNew(env: Env, staging: Staging): Promise<void> {
  const { plan, planId, clusterId, revisions, survivors } = staging;
  // Of an apply that did not come to its end.
  for (const given of staging.directories) {
    for (const part of partsOf(given)) await removeStaged(part, staging);
  }
  const directories = staging.directories.map(({ directory, walDirectory }, at) => ({
    survivor: survivors[at]!,
    directory: stagedName(directory, staging),
    walDirectory: walDirectory === null ? null : stagedName(walDirectory, staging),
  }));
  const recovery: Recovery = { plan, planId, clusterId, revisions, directories };
  const refusal = await new Promise<{ readonly reason: string } | null>((resolve) => {
    writeMembers(env, recovery, resolve);
  });
  if (refusal !== null) throw new CommandError(refusal.reason);
}
