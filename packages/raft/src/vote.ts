// Answers to vote and pre-vote requests, the same in every role (Raft §5.2, §5.4.1; thesis §9.6).
// Everybody answers: learners, removed and unknown members too, because the asker may know a newer
// configuration (lesson 23, P2).
import { MessageType } from "./message.ts";
import type { Message } from "./message.ts";
import type { Raft } from "./raft.ts";
import { StepOutcome } from "./raft-api.ts";
import { nobody, Role } from "./types.ts";

/** A vote or pre-vote request of any term (Raft figure 2; leases: lesson 21). */
export function stepRequest(raft: Raft, request: Message): StepOutcome {
  if (raft.kept.isOvertaken(request)) return StepOutcome.IgnoredStale;
  raft.kept.forget(request.from);
  if (request.type === MessageType.Vote && request.term > raft.term) {
    if (raft.inLease() && !request.transfer) return StepOutcome.IgnoredStale;
    raft.becomeFollower(request.term, nobody);
  }
  if (request.term < raft.term) refuseVote(raft, request);
  else if (request.type === MessageType.Vote) handleVote(raft, request);
  else handlePreVote(raft, request);
  return StepOutcome.Handled;
}

/** The request is of the present term: an older one was refused, a newer one has raised ours. */
function handleVote(raft: Raft, request: Message): void {
  const isFree = raft.vote === nobody && raft.leader === nobody;
  const granted = (isFree || raft.vote === request.from) && isUpToDate(raft, request);
  if (granted) {
    // Won on pre-votes from before, the next term would depose whom this vote elects (P6).
    if (raft.hint.active && raft.role === Role.PreCandidate) raft.becomeFollower(raft.term, nobody);
    raft.vote = request.from;
    raft.electionElapsed = 0;
    // It had a majority's pre-votes, and is heard of before an election timeout or not at all.
    raft.hint.postpone(raft.now + raft.electionTimeout);
  }
  const answer = startAnswer(raft, MessageType.VoteResponse, request);
  answer.reject = !granted;
  raft.sendAfterPersist(answer);
}

/** Changes no term and no vote on either side (lesson 19). */
function handlePreVote(raft: Raft, request: Message): void {
  const isFree = raft.vote === nobody && raft.leader === nobody;
  const mayVote =
    request.term > raft.term ||
    (request.term === raft.term && (isFree || raft.vote === request.from));
  const isWorthy = mayVote && isUpToDate(raft, request);
  if (isWorthy && mayAnswerLate(raft) && raft.kept.keep(request)) return;
  const granted = isWorthy && !raft.inLease();
  const answer = startAnswer(raft, MessageType.PreVoteResponse, request);
  answer.reject = !granted;
  // A grant is about the term that is asked for, a refusal tells the own one.
  if (granted) {
    answer.term = request.term;
    if (isOutdoneBy(raft, request)) raft.becomeFollower(raft.term, nobody);
    raft.hint.giveWay(raft.now);
    if (raft.config.lateVoteAnswers) raft.kept.granted(request);
  }
  raft.sendAfterPersist(answer);
}

/** Late answers: a follower's lease ends by itself, a leader's does not. */
function mayAnswerLate(raft: Raft): boolean {
  return raft.config.lateVoteAnswers && raft.role !== Role.Leader && raft.inLease();
}

/** A request of an older term: told the newer one, the asker can catch up (lesson 20). */
export function refuseVote(raft: Raft, request: Message): void {
  const isPreVote = request.type === MessageType.PreVote;
  const type = isPreVote ? MessageType.PreVoteResponse : MessageType.VoteResponse;
  const answer = startAnswer(raft, type, request);
  answer.reject = true;
  raft.sendAfterPersist(answer);
}

/**
 * Every answer tells what is known to be committed. The asker may hold the entry that ends a joint
 * phase without knowing that it is committed, and be refused by members that vote no more but have
 * longer logs: without this it could ask for ever (P2).
 */
function startAnswer(raft: Raft, type: MessageType, request: Message): Message {
  const answer = raft.answer(type, request);
  answer.commit = raft.log.committed;
  answer.logTerm = raft.log.tail.termAt(raft.log.committed) ?? 0;
  return answer;
}

/** What is committed anywhere is committed; with the same entry there, so is all before it here. */
export function learnCommit(raft: Raft, answer: Message): void {
  if (raft.role === Role.Leader || answer.commit <= raft.log.committed) return;
  if (!raft.log.matches(answer.commit, answer.logTerm)) return;
  raft.commitTo(answer.commit);
  // A configuration change among it must be applied before its majorities may be counted (lesson 29).
  const isCandidate = raft.role !== Role.Follower;
  if (isCandidate && !raft.isPromotable()) raft.becomeFollower(raft.term, nobody);
}

function isUpToDate(raft: Raft, request: Message): boolean {
  return raft.log.isUpToDate(request.index, request.logTerm);
}

/**
 * Evidence (P6) makes several ask within a message's way of each other. Who is asked by a better one
 * before it could win asks no more: by the order of late answers, so that the best is left.
 */
function isOutdoneBy(raft: Raft, request: Message): boolean {
  if (!raft.hint.active || raft.role !== Role.PreCandidate) return false;
  const { lastIndex, lastTerm } = raft.log;
  const isEqual = request.logTerm === lastTerm && request.index === lastIndex;
  return !isEqual || request.from < raft.id;
}
