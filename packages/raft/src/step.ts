// The way of a message from another core: whose process sent it, which term it is of, which role
// serves it. Nothing a peer sends may throw.
import { assertNever } from "@quorate/base";
import { endQuiet } from "./late-answers.ts";
import { isAnswer, MessageType } from "./message.ts";
import type { Message } from "./message.ts";
import type { Raft } from "./raft.ts";
import { StepOutcome } from "./raft-api.ts";
import { stepCandidate } from "./roles/candidate.ts";
import { stepFollower } from "./roles/follower.ts";
import { stepLeader } from "./roles/leader.ts";
import { admit } from "./sessions.ts";
import { nobody, Role } from "./types.ts";
import { learnCommit, stepRequest } from "./vote.ts";

export function step(raft: Raft, message: Message): StepOutcome {
  const isForeign = message.to !== raft.id || message.from === raft.id || message.from === nobody;
  if (isForeign) return StepOutcome.IgnoredStale;
  const peer = raft.peers.getOrAdd(message.from);
  if (peer === null || !admit(raft, peer, message.session)) return StepOutcome.IgnoredStale;
  if (isAnswer(message.type) && message.toSession !== raft.config.session) {
    return StepOutcome.IgnoredStale;
  }
  if (message.wallMs > 0) {
    peer.wallMs = message.wallMs;
    peer.wallTick = raft.now;
  }
  return raft.quiet.active ? stepQuiet(raft, message) : stepTerm(raft, message);
}

/** P5 (a): a leader that names this very process has accepted it. It is heard before the others. */
function stepQuiet(raft: Raft, message: Message): StepOutcome {
  if (isVoteRequest(message)) {
    if (!raft.kept.isOvertaken(message)) raft.kept.keep(message);
    return StepOutcome.Handled;
  }
  const isEcho = message.toSession === raft.config.session;
  const isAccepted = isEcho && isFromLeader(message) && message.term >= raft.term;
  const outcome = stepTerm(raft, message);
  if (isAccepted) endQuiet(raft);
  return outcome;
}

/** Raft figure 2, "rules for all servers", with pre-vote and leases (lessons 19 to 21). */
function stepTerm(raft: Raft, message: Message): StepOutcome {
  switch (message.type) {
    case MessageType.PreVote:
    case MessageType.Vote:
      return stepRequest(raft, message);
    case MessageType.PreVoteResponse:
      learnCommit(raft, message);
      // A refusal of a higher term is news; other answers do not depend on our term.
      if (message.reject && message.term > raft.term) raft.becomeFollower(message.term, nobody);
      return stepRole(raft, message);
    default:
      if (message.type === MessageType.VoteResponse) learnCommit(raft, message);
      if (message.term > raft.term) {
        raft.becomeFollower(message.term, isFromLeader(message) ? message.from : nobody);
      }
      return message.term < raft.term ? stepOld(raft, message) : stepRole(raft, message);
  }
}

function stepRole(raft: Raft, message: Message): StepOutcome {
  const { state } = raft;
  switch (state.role) {
    case Role.Follower:
      return stepFollower(raft, message);
    case Role.PreCandidate:
    case Role.Candidate:
      return stepCandidate(raft, state, message);
    case Role.Leader:
      return stepLeader(raft, state, message);
    default:
      return assertNever(state);
  }
}

/**
 * A leader of an older term is told the newer one, or it would go on, refused by everybody who
 * promised elsewhere, and nobody could be elected over it (lesson 20).
 */
function stepOld(raft: Raft, message: Message): StepOutcome {
  if (!isFromLeader(message)) return StepOutcome.IgnoredStale;
  if (message.type === MessageType.Heartbeat) {
    raft.send(raft.answer(MessageType.HeartbeatResponse, message));
  } else {
    const answer = raft.answer(MessageType.AppendResponse, message);
    answer.reject = true;
    answer.index = message.index;
    raft.sendAfterPersist(answer);
  }
  return StepOutcome.IgnoredStale;
}

function isVoteRequest(message: Message): boolean {
  return message.type === MessageType.Vote || message.type === MessageType.PreVote;
}

function isFromLeader(message: Message): boolean {
  return (
    message.type === MessageType.AppendEntries ||
    message.type === MessageType.Heartbeat ||
    message.type === MessageType.InstallSnapshot
  );
}
