// One process per directory (DESIGN.md 16, 23): a second one that finds the first at work ends with
// exit code 75 at once, and neither the directory nor the first one notices it.
import { ExitCode } from "@quorate/storage";
import { demand } from "./violation.ts";

const property = "one process per directory";

export interface SecondProcess {
  readonly alive: boolean;
  readonly exitCode: number | null;
  readonly reason: string;
  /** What it has asked of the disk that changes anything. */
  readonly diskOperations: readonly string[];
  readonly firstAlive: boolean;
}

export function checkSecondProcess(name: string, second: SecondProcess): void {
  const { alive, exitCode, reason, diskOperations, firstAlive } = second;
  demand(!alive, property, () => `${name} goes on beside the first one`);
  demand(
    exitCode === ExitCode.Foreign,
    property,
    () => `${name} ended with ${exitCode}, not 75: ${reason}`,
  );
  demand(
    diskOperations.length === 0,
    property,
    () => `${name} has changed the directory: ${diskOperations.join(", ")}`,
  );
  demand(firstAlive, property, () => `the process beside ${name} has ended with it`);
}
