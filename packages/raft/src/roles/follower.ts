// What a follower does (Raft figure 2): takes over the leader's log, answers, and campaigns when no
// leader is heard. Answers about the log leave after it is durable (lesson 1).
import { assert, assertNever } from "@quorate/base";
import { campaign, campaignForTransfer } from "../campaign.ts";
import { isMember } from "../confchange/change.ts";
import { answerLate, refuseKept } from "../late-answers.ts";
import { MessageType } from "../message.ts";
import type { Message } from "../message.ts";
import type { Raft } from "../raft.ts";
import { StepOutcome } from "../raft-api.ts";
import { heedRank } from "../succession.ts";
import { nobody, Role } from "../types.ts";
import type { Index } from "../types.ts";

/** A message of the present term. Votes are answered elsewhere (vote.ts). */
export function stepFollower(raft: Raft, message: Message): StepOutcome {
  switch (message.type) {
    case MessageType.AppendEntries:
      hearLeader(raft, message);
      return handleAppend(raft, message);
    case MessageType.Heartbeat:
      hearLeader(raft, message);
      handleHeartbeat(raft, message);
      return StepOutcome.Handled;
    case MessageType.InstallSnapshot:
      hearLeader(raft, message);
      return handleSnapshot(raft, message);
    case MessageType.TimeoutNow:
      return handleTimeoutNow(raft, message);
    case MessageType.AppendResponse:
    case MessageType.HeartbeatResponse:
    case MessageType.PreVoteResponse:
    case MessageType.VoteResponse:
      return StepOutcome.IgnoredStale;
    case MessageType.PreVote:
    case MessageType.Vote:
      assert(false, "follower: votes are answered elsewhere");
      return StepOutcome.IgnoredStale;
    default:
      return assertNever(message.type);
  }
}

function hearLeader(raft: Raft, message: Message): void {
  raft.electionElapsed = 0;
  raft.follow(message.from);
  refuseKept(raft);
}

function handleAppend(raft: Raft, message: Message): StepOutcome {
  const { log } = raft;
  const { entries } = message;
  const count = entries.length;
  const isDense =
    count === 0 ||
    (entries[0]!.index === message.index + 1 &&
      entries[count - 1]!.index === message.index + count);
  if (!isDense) return StepOutcome.IgnoredStale;
  if (message.index < log.committed) {
    // What is committed is equal everywhere: the leader learns how far without a look at the rest.
    acknowledge(raft, message, log.committed);
    return StepOutcome.Handled;
  }
  if (!log.matches(message.index, message.logTerm)) {
    refuseAppend(raft, message);
    return StepOutcome.Handled;
  }
  const present = log.countPresent(entries);
  if (present < count) {
    const first = entries[present]!.index;
    if (first <= log.lastIndex) raft.ownProposals.truncating(log, first);
    log.merge(entries, present);
  }
  log.settlePromise();
  const last = message.index + count;
  // Not our last index: behind `last` may be entries that the leader knows nothing of (lesson 13).
  raft.commitTo(Math.min(message.commit, last));
  acknowledge(raft, message, last);
  return StepOutcome.Handled;
}

function acknowledge(raft: Raft, message: Message, index: Index): void {
  if (joinAnswer(raft, message, index)) return;
  const answer = raft.answer(MessageType.AppendResponse, message);
  answer.index = index;
  answer.commit = raft.appliedDurably();
  raft.sendAfterPersist(answer);
}

// One answer says all that several appends of a turn asked: they wait for the same batch.
function joinAnswer(raft: Raft, message: Message, index: Index): boolean {
  const waiting = raft.messagesAfterPersist.at(-1);
  if (waiting === undefined || waiting.type !== MessageType.AppendResponse) return false;
  const isSame =
    waiting.to === message.from &&
    waiting.toSession === message.session &&
    waiting.term === raft.term &&
    waiting.number === message.number;
  if (!isSame || waiting.reject) return false;
  waiting.index = Math.max(waiting.index, index);
  waiting.sentMs = message.sentMs;
  return true;
}

/** The hint lets the leader skip a whole term at a time (lesson 38). */
function refuseAppend(raft: Raft, message: Message): void {
  const { log } = raft;
  const hint = log.findConflictByTerm(Math.min(message.index, log.lastIndex), message.logTerm);
  const answer = raft.answer(MessageType.AppendResponse, message);
  answer.reject = true;
  answer.index = message.index;
  answer.hintIndex = hint;
  answer.hintTerm = log.tail.termAt(hint) ?? 0;
  answer.commit = raft.appliedDurably();
  raft.sendAfterPersist(answer);
}

function handleHeartbeat(raft: Raft, message: Message): void {
  // The commit index in it rests on what this very process has acknowledged (lesson 12, P4).
  if (message.toSession === raft.config.session) {
    assert(message.commit <= raft.log.lastIndex, "the log lost what it had acknowledged");
    raft.commitTo(message.commit);
  }
  heedRank(raft, message.rank);
  const answer = raft.answer(MessageType.HeartbeatResponse, message);
  answer.commit = raft.appliedDurably();
  raft.send(answer);
}

function handleSnapshot(raft: Raft, message: Message): StepOutcome {
  const { snapshot } = message;
  if (snapshot === null) return StepOutcome.IgnoredStale;
  const { log } = raft;
  if (raft.stateLost && log.matches(snapshot.index, snapshot.term)) {
    if (!log.holds(snapshot) || log.snapshotPending > 0) return StepOutcome.IgnoredStale;
    if (!isMember(snapshot.confState, raft.id)) return StepOutcome.IgnoredStale;
    raft.commitTo(snapshot.index);
    log.replaceState(snapshot);
    raft.conf = snapshot.confState;
  } else if (snapshot.index > log.committed) {
    if (log.matches(snapshot.index, snapshot.term)) {
      // Nothing to install: the log has all of it, and now knows that it is committed (lesson 43).
      raft.commitTo(snapshot.index);
    } else {
      if (!isMember(snapshot.confState, raft.id)) return StepOutcome.IgnoredStale;
      if (snapshot.index < log.lastIndex) raft.ownProposals.truncating(log, snapshot.index + 1);
      log.restore(snapshot);
      raft.conf = snapshot.confState;
      raft.ownProposals.settle(log, raft.dropped);
    }
  }
  acknowledge(raft, message, log.committed);
  return StepOutcome.Handled;
}

function handleTimeoutNow(raft: Raft, message: Message): StepOutcome {
  // Meant for a process that is no more: its successor must not be hurried (P4).
  if (message.toSession !== raft.config.session) return StepOutcome.IgnoredStale;
  campaignForTransfer(raft);
  return StepOutcome.Handled;
}

/** Followers and candidates alike: the election timer and the close hint. */
export function tickElection(raft: Raft): void {
  raft.electionElapsed++;
  answerLate(raft);
  if (raft.role !== Role.Follower && !raft.isPromotable()) {
    raft.becomeFollower(raft.term, nobody);
  }
  const { hint } = raft;
  const hinted = hint.active && raft.role === Role.Follower && raft.now >= hint.campaignTick;
  if (!hinted && raft.electionElapsed < raft.electionTimeout) return;
  campaign(raft);
  // Who may not campaign notices all the same that nobody leads: then it asks others for what it lacks.
  const isLost = raft.log.promised !== null && raft.leader !== nobody;
  if (isLost) raft.becomeFollower(raft.term, nobody);
}
