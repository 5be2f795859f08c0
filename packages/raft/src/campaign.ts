// Own candidacies: pre-vote first, unless leadership is being handed over (thesis §3.10, §9.6).
import { assertNever } from "@quorate/base";
import { memberIds } from "./confchange/conf-state.ts";
import { isVoter } from "./confchange/change.ts";
import { MessageType } from "./message.ts";
import { jointVoteResult } from "./quorum/joint.ts";
import { VoteResult } from "./quorum/majority.ts";
import type { Raft } from "./raft.ts";
import { takeLead } from "./roles/leader.ts";
import type { CandidateState } from "./roles/role-state.ts";
import { nobody, Role } from "./types.ts";
import type { NodeId } from "./types.ts";

/** Asks whether an election could be won; nothing when this member may not campaign. */
export function campaign(raft: Raft): void {
  if (raft.role === Role.Leader || !raft.isPromotable()) return;
  const state = raft.becomePreCandidate();
  presumeDead(raft, state);
  state.votes.set(raft.id, true);
  ask(raft, state, false);
  settle(raft, state);
}

/** The leader asked for it: at once, and without regard to its lease. */
export function campaignForTransfer(raft: Raft): void {
  if (raft.role === Role.Leader || !raft.isPromotable()) return;
  elect(raft, true);
}

// The own vote is counted when it is durable (lesson 2): see countOwnVote.
function elect(raft: Raft, transfer: boolean): void {
  const state = raft.becomeCandidate();
  presumeDead(raft, state);
  ask(raft, state, transfer);
}

/**
 * A leader that is held for dead will not answer; so that a refused round is seen as one, it counts
 * as refusing. Not when a new process of it has said hello: that one may vote.
 */
function presumeDead(raft: Raft, state: CandidateState): void {
  const { hint } = raft;
  if (hint.active && raft.peers.sessionOf(hint.leader) === hint.session) {
    state.votes.set(hint.leader, false);
  }
}

/**
 * The requests wait for the batch that holds term, vote and the whole log, so that what they quote
 * is durable when they leave (DESIGN.md 1).
 */
function ask(raft: Raft, state: CandidateState, transfer: boolean): void {
  for (const id of memberIds(raft.conf)) {
    if (id !== raft.id && isVoter(raft.conf, id)) askOne(raft, state, id, transfer);
  }
}

function askOne(raft: Raft, state: CandidateState, id: NodeId, transfer: boolean): void {
  const isPreVote = state.role === Role.PreCandidate;
  const request = raft.request(isPreVote ? MessageType.PreVote : MessageType.Vote, id);
  if (isPreVote) request.term = raft.term + 1;
  request.number = state.round;
  request.index = raft.log.lastIndex;
  request.logTerm = raft.log.lastTerm;
  request.transfer = transfer;
  raft.sendAfterPersist(request);
}

/** A new process of a voter: its predecessor may have kept the question to answer it later. */
export function askAgain(raft: Raft, state: CandidateState, id: NodeId): void {
  const isAsked = state.role === Role.PreCandidate && id !== raft.id && isVoter(raft.conf, id);
  if (isAsked) askOne(raft, state, id, false);
}

/** One voter's answer to the present round. */
export function recordVote(
  raft: Raft,
  state: CandidateState,
  from: NodeId,
  granted: boolean,
): void {
  const isPreVote = state.role === Role.PreCandidate;
  // A vote is for good. A pre-vote is taken back when its voter hears a leader again.
  if (state.votes.get(from) === true && (granted || !isPreVote)) return;
  state.votes.set(from, granted);
  if (granted) state.grantTicks.set(from, raft.now);
  else state.grantTicks.delete(from);
  settle(raft, state);
}

/** Our term and vote are durable: the vote that we gave ourselves counts from now on. */
export function countOwnVote(raft: Raft): void {
  const { state } = raft;
  if (state.role !== Role.Candidate || state.votes.has(raft.id)) return;
  const { durable } = raft.log.persist;
  if (durable.term === raft.term && durable.vote === raft.id) {
    recordVote(raft, state, raft.id, true);
  }
}

function settle(raft: Raft, state: CandidateState): void {
  const result = jointVoteResult(raft.conf, state.votes);
  switch (result) {
    case VoteResult.Pending:
      return;
    case VoteResult.Lost:
      raft.becomeFollower(raft.term, nobody);
      if (raft.hint.active) raft.hint.roundLost(raft.now);
      return;
    case VoteResult.Won:
      if (state.role === Role.PreCandidate) elect(raft, false);
      else takeLead(raft, state);
      return;
    default:
      assertNever(result);
  }
}
