// The one answer to damage that is found while a member runs.
import { ExitCode } from "@quorate/storage";
import type { Env, ScrubFinding } from "@quorate/storage";

/**
 * Damaged rows are lost state, and come anew from another member; what was promised is whole. A damaged
 * log ends the process: its next start classifies what is left (reliability.md §3.3), and takes what is lost
 * from others, if it can. This member does not lead any more then.
 */
export function onDamageFound(
  env: Env,
  finding: ScrubFinding,
  loseState: (reason: string) => void,
): void {
  const { path, offset, what, part } = finding;
  const where = `${path}: offset ${offset}: ${what}`;
  if (part === "rows") return loseState(`${where}; found by rereading`);
  env.fatal(
    ExitCode.Damaged,
    `${where}; a durable part of the log is damaged, found by rereading it: start the member ` +
      "again: with peers it takes what is lost from them",
  );
}
