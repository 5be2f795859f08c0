// What a candidate or pre-candidate does with answers to its round, and with a leader that turns up.
import { assert, assertNever } from "@quorate/base";
import { recordVote } from "../campaign.ts";
import { MessageType } from "../message.ts";
import type { Message } from "../message.ts";
import type { Raft } from "../raft.ts";
import { StepOutcome } from "../raft-api.ts";
import { Role } from "../types.ts";
import { stepFollower } from "./follower.ts";
import type { CandidateState } from "./role-state.ts";

/** A message of the present term; of pre-vote answers also other terms. */
export function stepCandidate(raft: Raft, state: CandidateState, message: Message): StepOutcome {
  switch (message.type) {
    case MessageType.AppendEntries:
    case MessageType.Heartbeat:
    case MessageType.InstallSnapshot:
      // This term has a leader (lesson 24).
      raft.becomeFollower(message.term, message.from);
      return stepFollower(raft, message);
    case MessageType.PreVoteResponse:
      return handlePreVoteResponse(raft, state, message);
    case MessageType.VoteResponse:
      return handleVoteResponse(raft, state, message);
    case MessageType.AppendResponse:
    case MessageType.HeartbeatResponse:
    case MessageType.TimeoutNow:
      return StepOutcome.IgnoredStale;
    case MessageType.PreVote:
    case MessageType.Vote:
      assert(false, "candidate: votes are answered elsewhere");
      return StepOutcome.IgnoredStale;
    default:
      return assertNever(message.type);
  }
}

function handlePreVoteResponse(raft: Raft, state: CandidateState, answer: Message): StepOutcome {
  const isMine = state.role === Role.PreCandidate && answer.number === state.round;
  // A grant is about the term that was asked for; a refusal carries the voter's own (lesson 19).
  if (!isMine || (!answer.reject && answer.term !== raft.term + 1)) return StepOutcome.IgnoredStale;
  recordVote(raft, state, answer.from, !answer.reject);
  return StepOutcome.Handled;
}

function handleVoteResponse(raft: Raft, state: CandidateState, answer: Message): StepOutcome {
  const isMine = state.role === Role.Candidate && answer.number === state.round;
  if (!isMine) return StepOutcome.IgnoredStale;
  const peer = raft.peers.get(answer.from);
  if (peer !== null && !answer.reject) peer.promisedTerm = Math.max(peer.promisedTerm, raft.term);
  recordVote(raft, state, answer.from, !answer.reject);
  return StepOutcome.Handled;
}
