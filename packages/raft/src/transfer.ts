// Leadership transfer (thesis §3.10): the target catches up, is told to campaign at once, and the
// leader accepts no proposals meanwhile. Given up after an election timeout.
import { isVoter } from "./confchange/change.ts";
import { MessageType } from "./message.ts";
import { TransferOutcome } from "./raft-api.ts";
import type { Raft } from "./raft.ts";
import type { LeaderState } from "./roles/role-state.ts";
import type { Progress } from "./tracker/progress.ts";
import { nobody } from "./types.ts";
import type { NodeId } from "./types.ts";

/** A transfer to somebody else that is under way gives way to the new one (lesson 27). */
export function startTransfer(raft: Raft, state: LeaderState, to: NodeId): TransferOutcome {
  const progress = state.tracker.get(to);
  const isTarget =
    to !== raft.id && to !== state.transferee && progress !== null && isVoter(raft.conf, to);
  if (!isTarget || progress.regressed) return TransferOutcome.BadTarget;
  state.transferee = to;
  state.transferElapsed = 0;
  state.appendsDue = true;
  maybeFinishTransfer(raft, state, progress);
  return TransferOutcome.Started;
}

/** The target has everything: it may campaign. Repeated with its answers until the term ends. */
export function maybeFinishTransfer(raft: Raft, state: LeaderState, progress: Progress): void {
  if (state.transferee !== progress.id || progress.match !== raft.log.lastIndex) return;
  sendTimeoutNow(raft, progress.id);
}

export function sendTimeoutNow(raft: Raft, to: NodeId): void {
  raft.send(raft.request(MessageType.TimeoutNow, to));
}

export function tickTransfer(raft: Raft, state: LeaderState): void {
  if (state.transferee === nobody) return;
  state.transferElapsed++;
  if (state.transferElapsed >= raft.config.electionTimeoutTicks) state.transferee = nobody;
}

/** Another configuration is in force: a target that no longer votes is none (lesson 27). */
export function checkTransferee(raft: Raft, state: LeaderState): void {
  if (state.transferee !== nobody && !isVoter(raft.conf, state.transferee)) {
    state.transferee = nobody;
  }
}
