// Whether a member takes requests at all, whatever they ask.
import { FailureCode, Phase } from "./host-api.ts";
import type { Failure } from "./host-api.ts";
import { failure } from "./proposals.ts";
import type { Running } from "./running.ts";

/** Null: it does. */
export function refusalAtDoor(
  phase: Phase,
  running: Running | null,
  missing: () => readonly string[],
): Failure | null {
  if (phase === Phase.Stopping || phase === Phase.Stopped) return failure(FailureCode.Stopped);
  if (running === null || phase > Phase.Running) return failure(FailureCode.NoLeader, missing());
  return running.repair.reason === "" ? null : failure(FailureCode.Rebuilding);
}
