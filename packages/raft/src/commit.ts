// What a quorum has: the leader's commit rule (Raft §5.3, §5.4.2) and its counterpart for applied
// changes (P2).
import { jointCommittedIndex } from "./quorum/joint.ts";
import type { Raft } from "./raft.ts";
import type { LeaderState } from "./roles/role-state.ts";
import type { Index, NodeId } from "./types.ts";

/** Counts only entries of this term; earlier ones are committed with them (lesson 10). */
export function maybeCommit(raft: Raft, state: LeaderState): void {
  const { log } = raft;
  const index = jointCommittedIndex(raft.conf, state.matchOf);
  if (index <= log.committed || index > log.lastIndex) return;
  if (log.tail.termAt(index) !== raft.term) return;
  raft.commitTo(index);
  state.appendsDue = true;
}

/** An entry of this term is committed: the commit index is the cluster's (lessons 15, 35). */
export function hasCommittedInTerm(raft: Raft, state: LeaderState): boolean {
  return raft.log.committed >= state.termStart;
}

/** What a quorum of the voters has applied and durably knows to be committed (P2). */
export function appliedByQuorum(raft: Raft): Index {
  return jointCommittedIndex(raft.conf, (id: NodeId): Index => {
    return id === raft.id ? raft.appliedDurably() : (raft.peers.get(id)?.applied ?? 0);
  });
}
