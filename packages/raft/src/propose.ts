// Proposals of clients (and Level entries) into the leader's log. One object per entry, nothing
// else: this runs once per write.
import { assert } from "@quorate/base";
import { applicationKindMin, EntryKind, entryOverheadBytes } from "./entry.ts";
import type { Proposal } from "./entry.ts";
import { levelOf } from "./log-tail.ts";
import { ProposeOutcome } from "./raft-api.ts";
import type { Raft } from "./raft.ts";
import type { LeaderState } from "./roles/role-state.ts";
import { stampMs } from "./stamps.ts";
import { nobody } from "./types.ts";

/** All of them or none. */
export function propose(
  raft: Raft,
  state: LeaderState,
  proposals: readonly Proposal[],
): ProposeOutcome {
  if (state.removedAt > 0) return ProposeOutcome.NotLeader;
  if (state.transferee !== nobody) return ProposeOutcome.Transferring;
  let bytes = 0;
  for (let i = 0; i < proposals.length; i++) {
    const { payload } = proposals[i]!;
    if (payload.length > raft.config.proposalBytesMax) return ProposeOutcome.TooLarge;
    bytes += payload.length + entryOverheadBytes;
  }
  // With nothing under way any single turn's proposals are let in, or a large one never could be
  // (lesson 46).
  const isOver = state.uncommittedBytes + bytes > raft.config.uncommittedBytesMax;
  if (isOver && state.uncommittedBytes > 0) return ProposeOutcome.Overloaded;
  const wallMs = stampMs(raft);
  for (let i = 0; i < proposals.length; i++) {
    const { kind, payload } = proposals[i]!;
    checkKind(kind, payload);
    raft.append(kind, payload, wallMs);
  }
  state.uncommittedBytes += bytes;
  if (proposals.length > 0) state.appendsDue = true;
  return ProposeOutcome.Accepted;
}

function checkKind(kind: EntryKind, payload: Uint8Array): void {
  if (kind >= applicationKindMin) return;
  assert(kind === EntryKind.Level, "propose: this kind is the core's own");
  assert(levelOf(payload) !== null, "propose: a level is a u32");
}
