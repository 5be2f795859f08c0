// Whether a member takes requests at all, whatever they ask.
import { FailureCode, Phase } from "./host-api.ts";
import type { Failure } from "./host-api.ts";
import { failure } from "./proposals.ts";
import type { Running } from "./running.ts";

/** Null: it does. */
export function refusalAtDoor(
  phase: Phase,
  running: Running | null,
  serializable: boolean,
  missing: () => readonly string[],
): Failure | null {
  if (phase === Phase.Stopping || phase === Phase.Stopped) return failure(FailureCode.Stopped);
  if (running === null || phase > Phase.Running) return failure(FailureCode.NoLeader, missing());
  if (running.repair.reason !== "") return failure(FailureCode.Rebuilding);
  // The state of a guest may be empty, or that of long ago: it answers only what the leader confirms.
  return serializable && !running.guest.isNamed ? failure(FailureCode.NoLeader, missing()) : null;
}
