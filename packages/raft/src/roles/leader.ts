// What a leader does: keeps its term alive by heartbeats, follows its followers' answers, commits,
// and steps down when a quorum has fallen silent (P7). What is sent to whom: replicate.ts.
// Configuration changes: membership.ts.
import { assert, assertNever } from "@quorate/base";
import { hasCommittedInTerm, maybeCommit } from "../commit.ts";
import { refuseKept } from "../late-answers.ts";
import { maybeAutoLeave, maybeLeave } from "../membership.ts";
import { MessageType } from "../message.ts";
import type { Message } from "../message.ts";
import { jointQuorumNewest } from "../quorum/joint.ts";
import type { Raft } from "../raft.ts";
import { StepOutcome } from "../raft-api.ts";
import { sendEmptyAppend } from "../replicate.ts";
import { stampMs } from "../stamps.ts";
import { ProgressKind } from "../status.ts";
import { rankSuccessors, timeAnswer } from "../succession.ts";
import type { Progress } from "../tracker/progress.ts";
import { maybeFinishTransfer, tickTransfer } from "../transfer.ts";
import { nobody } from "../types.ts";
import type { Term } from "../types.ts";
import type { CandidateState, LeaderState } from "./role-state.ts";

/** The empty entry makes earlier terms' entries committable (Raft §5.4.2, thesis §6.4). */
export function takeLead(raft: Raft, candidate: CandidateState): void {
  const state = raft.becomeLeader(candidate.grantTicks);
  refuseKept(raft);
  const own = state.tracker.get(raft.id);
  if (own !== null) {
    own.lastAnswerTick = raft.now;
    own.maybeUpdate(raft.log.persist.durableIndex);
  }
  const opening = raft.appendEmpty(stampMs(raft));
  assert(opening.index === state.termStart, "leader: the term begins with its empty entry");
}

/** A message of the present term. Votes are answered elsewhere (vote.ts). */
export function stepLeader(raft: Raft, state: LeaderState, message: Message): StepOutcome {
  switch (message.type) {
    case MessageType.AppendResponse:
    case MessageType.HeartbeatResponse:
      return stepAnswer(raft, state, message);
    case MessageType.AppendEntries:
    case MessageType.Heartbeat:
    case MessageType.InstallSnapshot:
      // There is no second leader of this term: whatever it is, it is not for us.
      return StepOutcome.IgnoredStale;
    case MessageType.VoteResponse:
      return stepLateGrant(raft, state, message);
    case MessageType.PreVoteResponse:
    case MessageType.TimeoutNow:
      return StepOutcome.IgnoredStale;
    case MessageType.PreVote:
    case MessageType.Vote:
      assert(false, "leader: votes are answered elsewhere");
      return StepOutcome.IgnoredStale;
    default:
      return assertNever(message.type);
  }
}

/** The election is won already; the promise and the sign of life count all the same (P4, P7). */
function stepLateGrant(raft: Raft, state: LeaderState, answer: Message): StepOutcome {
  const progress = state.tracker.get(answer.from);
  const peer = raft.peers.get(answer.from);
  if (answer.reject || progress === null || peer === null) return StepOutcome.IgnoredStale;
  progress.lastAnswerTick = raft.now;
  peer.promisedTerm = Math.max(peer.promisedTerm, raft.term);
  return StepOutcome.Handled;
}

function stepAnswer(raft: Raft, state: LeaderState, answer: Message): StepOutcome {
  const progress = state.tracker.get(answer.from);
  const peer = raft.peers.get(answer.from);
  if (progress === null || peer === null) return StepOutcome.IgnoredStale;
  progress.session = answer.session;
  progress.lastAnswerTick = raft.now;
  peer.applied = Math.max(peer.applied, Math.min(answer.commit, raft.log.committed));
  if (answer.type === MessageType.HeartbeatResponse) {
    handleHeartbeatResponse(raft, state, progress, answer);
  } else {
    // Unlike a heartbeat's, this answer left after the term was durable there.
    peer.promisedTerm = Math.max(peer.promisedTerm, raft.term);
    if (answer.reject) handleReject(raft, state, progress, answer);
    else handleAck(raft, state, progress, answer);
  }
  maybeLeave(raft, state);
  return StepOutcome.Handled;
}

function handleReject(raft: Raft, state: LeaderState, progress: Progress, answer: Message): void {
  const { hintIndex, hintTerm } = answer;
  const hint = hintTerm > 0 ? raft.log.findConflictByTerm(hintIndex, hintTerm) : hintIndex;
  const isNew = progress.maybeDecrease(answer.index, hint);
  progress.breaker.refused(progress.next, raft.now);
  if (!isNew) return;
  if (progress.kind === ProgressKind.Replicate) progress.becomeProbe();
  state.appendsDue = true;
}

function handleAck(raft: Raft, state: LeaderState, progress: Progress, answer: Message): void {
  const { log } = raft;
  // More than we ever had cannot come from this term's appends.
  if (answer.index > log.lastIndex) return;
  const isNew = progress.maybeUpdate(answer.index);
  const isProbeAnswered = progress.kind === ProgressKind.Probe && progress.match === answer.index;
  if (!isNew && !isProbeAnswered) return;
  if (progress.kind === ProgressKind.Probe) {
    progress.becomeReplicate();
  } else if (progress.kind === ProgressKind.Snapshot && progress.match >= log.tail.baseIndex) {
    // Any answer that connects to our log ends it, not only one at the snapshot's index (lesson 42).
    progress.becomeReplicate();
  }
  state.appendsDue = true;
  maybeCommit(raft, state);
  maybeFinishTransfer(raft, state, progress);
}

function handleHeartbeatResponse(
  raft: Raft,
  state: LeaderState,
  progress: Progress,
  answer: Message,
): void {
  state.reads.acked(answer.from, answer.number);
  state.reads.confirm(raft.conf, raft.readStates);
  progress.heartbeatAnswered();
  timeAnswer(raft, state, progress, answer.number);
  const isBehind = progress.match < raft.log.lastIndex;
  if (isBehind || progress.kind === ProgressKind.Probe) state.appendsDue = true;
  if (isBehind && progress.kind === ProgressKind.Replicate) {
    // Everything is sent, or the window is full, and yet it lags: appends may be lost. The answer
    // to an empty one tells (lessons 40, 41). Where it would stand may be compacted by now: then
    // begin anew from what is known, by a snapshot if need be.
    const isAllSent = progress.next > raft.log.lastIndex || progress.isPaused();
    const isDue = isAllSent && progress.breaker.mayAppend(raft.now);
    if (isDue && !sendEmptyAppend(raft, progress)) progress.becomeProbe();
  }
  maybeFinishTransfer(raft, state, progress);
}

/** Our own disk has it: only now do we count ourselves (lesson 2). */
export function leaderPersisted(raft: Raft, state: LeaderState, batchTerm: Term): void {
  if (batchTerm !== raft.term) return;
  const own = state.tracker.get(raft.id);
  if (own !== null && own.maybeUpdate(raft.log.persist.durableIndex)) maybeCommit(raft, state);
}

export function tickLeader(raft: Raft, state: LeaderState): void {
  const own = state.tracker.get(raft.id);
  if (own !== null) own.lastAnswerTick = raft.now;
  const newest = jointQuorumNewest(raft.conf, state.answerTickOf);
  if (raft.now - newest > raft.config.electionTimeoutTicks) {
    raft.becomeFollower(raft.term, nobody);
    return;
  }
  tickTransfer(raft, state);
  state.heartbeatElapsed++;
  if (state.heartbeatElapsed >= raft.config.heartbeatTicks) {
    state.heartbeatElapsed = 0;
    raft.heartbeatRound++;
    rankSuccessors(raft, state);
    sendHeartbeats(raft, state);
  }
  maybeAutoLeave(raft, state);
}

/** The commit index told is never above what the follower has matched (lesson 12). */
function sendHeartbeats(raft: Raft, state: LeaderState): void {
  for (const progress of state.tracker.all) {
    if (progress.id === raft.id || progress.regressed) continue;
    const heartbeat = raft.request(MessageType.Heartbeat, progress.id);
    heartbeat.commit = Math.min(progress.match, raft.log.committed);
    heartbeat.number = raft.heartbeatRound;
    heartbeat.wallMs = raft.clockMs;
    heartbeat.rank = progress.rank;
    raft.send(heartbeat);
  }
}

/** Reads wait and may begin their round. */
export function readsDue(raft: Raft, state: LeaderState): boolean {
  return state.reads.waiting && hasCommittedInTerm(raft, state);
}

/** One heartbeat round for all reads accepted so far; none if our own vote is a quorum. */
export function startReadRound(raft: Raft, state: LeaderState): void {
  raft.heartbeatRound++;
  state.reads.begin(raft.heartbeatRound, raft.log.committed);
  const before = raft.readStates.length;
  state.reads.confirm(raft.conf, raft.readStates);
  if (raft.readStates.length === before) sendHeartbeats(raft, state);
}
