// Whom a member that starts again has to hear from before it makes a promise (P5): every other voter of the
// newest configuration on its disk. That may stand in the log behind the checkpoint, and not be applied.
import { must } from "@quorate/base";
import { applyChange, decodeConfChange, EntryKind, isConfChangeError } from "@quorate/raft";
import type { ConfState, Entry, Index, NodeId } from "@quorate/raft";

/** Of both halves. */
export function votersOf({ voters, votersOutgoing }: ConfState): readonly NodeId[] {
  return [...voters, ...votersOutgoing];
}

/**
 * Of the configuration at `applied` and of the newest that the log behind it comes to: the core goes by the
 * first until it has applied the others.
 */
export function votersOnDisk(
  conf: ConfState,
  entries: readonly Entry[],
  applied: Index,
): readonly NodeId[] {
  let newest = conf;
  for (const { index, kind, payload } of entries) {
    if (index <= applied || kind !== EntryKind.ConfChange) continue;
    const change = must(decodeConfChange(payload), "a configuration change was encoded by a core");
    const next = applyChange(newest, change);
    // It is rejected when it is applied.
    if (!isConfChangeError(next)) newest = next;
  }
  return [...new Set([...votersOf(conf), ...votersOf(newest)])];
}
