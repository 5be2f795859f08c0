// Why a member ends although its disk works: exit code and one line for whoever has to do something.
import type { Index } from "@quorate/raft";
import { ExitCode } from "@quorate/storage";
import type { Env } from "@quorate/storage";

/** Nobody needs it for votes any more (P2): it keeps its directory, and ends. */
export function endRemoved(env: Env, directory: string, reason: string): never {
  return env.fatal(
    ExitCode.Removed,
    `this member was removed from the cluster (${reason}); its data directory ` +
      `${directory} is kept, and is of no use to the cluster any more`,
  );
}

/** Its cluster was recovered without it (reliability.md §4.4). */
export function endSuperseded(env: Env, directory: string, reason: string): never {
  return env.fatal(
    ExitCode.Superseded,
    `this member's cluster was recovered without it (${reason}); its data directory ` +
      `${directory} is kept: start the member anew with an empty one to join`,
  );
}

/** Damaged, and nobody there to repair it from (§3.3 row 15). */
export function endDamagedAlone(env: Env, directory: string, reason: string): never {
  return env.fatal(
    ExitCode.Damaged,
    `${directory}: ${reason}; there is no other member to repair it from: restore a backup`,
  );
}

/** Its log has lost entries, and nobody else has them (§3.3 row 15). Nothing on the disk is changed. */
export function endLogHoleAlone(env: Env, directory: string, from: Index, upTo: Index): never {
  return env.fatal(
    ExitCode.Damaged,
    `${directory}: entries ${from} to ${upTo} of the log are lost, and there is no other member that ` +
      "has them: restore a backup, or go on without them with `quorate recover`",
  );
}

/** What it is sent is damaged as soon as it is written (§3.7). */
export function endDiskFails(env: Env, directory: string, times: number): never {
  return env.fatal(
    ExitCode.Damaged,
    `${directory}: the state was damaged ${times} times right after it had been written: the disk ` +
      "fails; replace it and start this member with an empty directory",
  );
}
