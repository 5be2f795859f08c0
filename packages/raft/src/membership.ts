// Configuration changes: proposed by the leader one at a time, in force at apply (P2). Joint phases
// end by themselves when the change says so. A leader that is no voter any more goes on leading until
// a majority of the new voters has applied that, or a single failure could leave the others stuck.
import { assert, emptyBytes } from "@quorate/base";
import { appliedByQuorum, hasCommittedInTerm, maybeCommit } from "./commit.ts";
import { ConfChange, ConfTransition } from "./conf-change.ts";
import { applyChange, isConfChangeError, isJoint, isVoter } from "./confchange/change.ts";
import { encodeConfChange } from "./confchange/codec.ts";
import { EntryKind } from "./entry.ts";
import { ProposeOutcome } from "./raft-api.ts";
import type { Raft } from "./raft.ts";
import type { LeaderState } from "./roles/role-state.ts";
import { stampMs } from "./stamps.ts";
import type { Progress } from "./tracker/progress.ts";
import { checkTransferee, sendTimeoutNow } from "./transfer.ts";
import { nobody, Role } from "./types.ts";
import type { ConfState, Index } from "./types.ts";

export function proposeConfChange(
  raft: Raft,
  state: LeaderState,
  change: ConfChange,
): ProposeOutcome {
  if (state.transferee !== nobody) return ProposeOutcome.Transferring;
  if (!mayChange(raft, state)) return ProposeOutcome.ConfChangePending;
  if (isConfChangeError(applyChange(raft.conf, change))) return ProposeOutcome.ConfChangePending;
  const payload = encodeConfChange(change);
  if (payload.length > raft.config.proposalBytesMax) return ProposeOutcome.TooLarge;
  raft.append(EntryKind.ConfChange, payload, stampMs(raft));
  state.appendsDue = true;
  return ProposeOutcome.Accepted;
}

/**
 * No change is in flight, and an entry of this term is committed: without that a deposed leader's
 * change could still come in force beside ours (Ongaro's correction of 2015, lesson 35).
 */
function mayChange(raft: Raft, state: LeaderState): boolean {
  return hasCommittedInTerm(raft, state) && !raft.log.confChangeInFlight;
}

/** Whoever leads ends a joint phase that is to end by itself; a new leader too (lesson 31). */
export function maybeAutoLeave(raft: Raft, state: LeaderState): void {
  if (!isJoint(raft.conf) || !raft.conf.autoLeave || state.transferee !== nobody) return;
  if (!mayChange(raft, state)) return;
  const leave = new ConfChange(ConfTransition.Leave, [], emptyBytes);
  raft.append(EntryKind.ConfChange, encodeConfChange(leave), stampMs(raft));
  state.appendsDue = true;
}

/**
 * The oldest ConfChange entry handed out takes effect. One that does not fit the configuration
 * changes nothing, on every member alike.
 */
export function confChangeApplied(raft: Raft, change: ConfChange): ConfState {
  const index = raft.log.confChangeDecided();
  // A snapshot that came meanwhile already holds what the entry changed.
  if (index === 0) return raft.conf;
  const next = applyChange(raft.conf, change);
  if (!isConfChangeError(next)) enterConf(raft, next, index);
  return raft.conf;
}

function enterConf(raft: Raft, conf: ConfState, index: Index): void {
  raft.conf = conf;
  // Our knowledge of this commit must survive a power loss before it is told (P2).
  if (raft.log.persist.issuedSyncCommit < index) raft.syncDue = true;
  if (raft.state.role === Role.Leader) adaptLeader(raft, raft.state, index);
}

function adaptLeader(raft: Raft, state: LeaderState, index: Index): void {
  state.tracker.apply(raft.conf, raft.log.lastIndex, raft.now);
  for (const progress of state.tracker.all) raft.introduce(progress);
  checkTransferee(raft, state);
  if (isVoter(raft.conf, raft.id)) state.removedAt = 0;
  else if (state.removedAt === 0) state.removedAt = index;
  // Smaller quorums may be complete already (lesson 14).
  maybeCommit(raft, state);
  state.reads.confirm(raft.conf, raft.readStates);
  state.appendsDue = true;
  maybeAutoLeave(raft, state);
  maybeLeave(raft, state);
}

/** A removed leader whose removal is safely known hands over and is none any more. */
export function maybeLeave(raft: Raft, state: LeaderState): void {
  if (state.removedAt === 0) return;
  assert(!isVoter(raft.conf, raft.id), "leader: a voter does not leave");
  if (appliedByQuorum(raft) < state.removedAt) return;
  const successor = bestSuccessor(raft, state);
  if (successor !== null) sendTimeoutNow(raft, successor.id);
  raft.becomeFollower(raft.term, nobody);
}

function bestSuccessor(raft: Raft, state: LeaderState): Progress | null {
  let best: Progress | null = null;
  for (const progress of state.tracker.all) {
    if (progress.regressed || !isVoter(raft.conf, progress.id)) continue;
    if (best === null || progress.match > best.match) best = progress;
  }
  return best;
}
