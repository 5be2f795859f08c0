// Processes behind raft ids (P4): a new session of a peer resets what the old one had acknowledged,
// and shows whether its disk forgot a promise. Evidence that a leader's process is dead (P6).
import { assert } from "@quorate/base";
import { askAgain } from "./campaign.ts";
import { answerLate } from "./late-answers.ts";
import type { Peer } from "./peers.ts";
import type { Raft } from "./raft.ts";
import type { LeaderState } from "./roles/role-state.ts";
import { nobody, Role, sessionUnknown } from "./types.ts";
import type { Index, NodeId, Session, Term } from "./types.ts";

/** A hello: `term` and `lastIndex` are what is durable there. True: the peer is REGRESSED. */
export function peerSession(
  raft: Raft,
  id: NodeId,
  session: Session,
  term: Term,
  lastIndex: Index,
): boolean {
  assert(id !== raft.id && session !== sessionUnknown, "peer session: of another process");
  const peer = raft.peers.getOrAdd(id);
  if (peer === null) return false;
  if (peer.session === session) return peer.regressed;
  const before = peer.session;
  peer.session = session;
  raft.hint.forgive(peer);
  if (term < peer.promisedTerm) peer.regressed = true;
  const { state } = raft;
  if (state.role === Role.Leader) {
    resetProgress(raft, state, peer, term, lastIndex);
  } else if (state.role !== Role.Follower) {
    state.votes.delete(id);
    state.grantTicks.delete(id);
    askAgain(raft, state, id);
  } else if (raft.leader === id && before !== sessionUnknown) {
    raft.hint.begin(id, before, state.rank, raft.now);
    answerLate(raft);
  }
  return peer.regressed;
}

function resetProgress(
  raft: Raft,
  state: LeaderState,
  peer: Peer,
  term: Term,
  lastIndex: Index,
): void {
  state.reads.forget(peer.id);
  const progress = state.tracker.get(peer.id);
  if (progress === null) return;
  // A leader of a higher term may have truncated it; nobody else.
  if (lastIndex < progress.match && term <= raft.term) peer.regressed = true;
  progress.regressed = peer.regressed;
  const foundAt = Math.min(lastIndex, raft.log.lastIndex);
  progress.breaker.newProcess(foundAt, raft.now);
  progress.resetSession(peer.session, foundAt);
  state.appendsDue = true;
}

/** The connection of `session` ended and a new one was refused (P6). */
export function leaderGone(raft: Raft, id: NodeId, session: Session): void {
  const { state } = raft;
  if (state.role !== Role.Follower || raft.leader === nobody || raft.leader !== id) return;
  const peer = raft.peers.get(id);
  if (peer === null || peer.session !== session || !raft.hint.isTrusted(peer, raft.now)) return;
  if (!raft.hint.active) raft.hint.begin(id, session, state.rank, raft.now);
  answerLate(raft);
}

/** Whose process sent it. False: not the peer's present one, or nobody whose word counts. */
export function admit(raft: Raft, peer: Peer, session: Session): boolean {
  if (peer.regressed) return false;
  // Without a hello, the first message introduces the process.
  if (peer.session === sessionUnknown) peer.session = session;
  if (peer.session !== session) return false;
  raft.hint.heard(peer, session, raft.now);
  return true;
}
