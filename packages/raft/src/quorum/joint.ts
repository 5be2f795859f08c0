// Majority arithmetic over a whole configuration: in a joint one (thesis §4.3) every decision needs
// a majority of both halves. Everything that counts voters asks here: commit, votes, check-quorum,
// reads. Never count one half alone.
import type { ConfState, Index, NodeId } from "../types.ts";
import { committedIndex, quorumAcked, quorumNewest, VoteResult, voteResult } from "./majority.ts";

/** The highest index that a quorum of each half has matched. */
export function jointCommittedIndex(conf: ConfState, match: (id: NodeId) => Index): Index {
  return Math.min(committedIndex(conf.voters, match), committedIndex(conf.votersOutgoing, match));
}

export function jointVoteResult(conf: ConfState, votes: ReadonlyMap<NodeId, boolean>): VoteResult {
  const incoming = voteResult(conf.voters, votes);
  const outgoing = voteResult(conf.votersOutgoing, votes);
  if (incoming === outgoing) return incoming;
  if (incoming === VoteResult.Lost || outgoing === VoteResult.Lost) return VoteResult.Lost;
  return VoteResult.Pending;
}

/** A quorum of each half has a tick at or above this (P7). */
export function jointQuorumNewest(conf: ConfState, ticks: (id: NodeId) => number): number {
  return Math.min(quorumNewest(conf.voters, ticks), quorumNewest(conf.votersOutgoing, ticks));
}

/** A quorum of each half satisfies `acked`. */
export function jointAcked(conf: ConfState, acked: (id: NodeId) => boolean): boolean {
  return quorumAcked(conf.voters, acked) && quorumAcked(conf.votersOutgoing, acked);
}
