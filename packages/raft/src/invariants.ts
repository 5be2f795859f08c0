// What must hold of one core between any two inputs, and from one look to the next. Called by tests
// and by the simulator after every event; too thorough for production, where the asserts inside the
// code stand. What must hold between several cores is the simulator's checkers' part.
import { assert } from "@quorate/base";
import { isMember, isVoter } from "./confchange/change.ts";
import { memberIds } from "./confchange/conf-state.ts";
import type { Raft } from "./raft.ts";
import { proposalCost } from "./raft.ts";
import type { RaftNode } from "./raft-node.ts";
import type { LeaderState } from "./roles/role-state.ts";
import { ProgressKind } from "./status.ts";
import { nobody, Role } from "./types.ts";
import type { Index, NodeId, Term } from "./types.ts";

/** Entries looked at from the end of the log: what is older was looked at before. */
const entriesCheckedMax = 256;

/** What a look remembers for the next one. */
export class CoreSnapshot {
  readonly term: Term;
  readonly vote: NodeId;
  readonly role: Role;
  readonly committed: Index;
  readonly committedTerm: Term;
  readonly applied: Index;
  readonly handed: Index;
  readonly lastIndex: Index;
  readonly lastTerm: Term;

  constructor(raft: Raft) {
    const { log } = raft;
    this.term = raft.term;
    this.vote = raft.vote;
    this.role = raft.role;
    this.committed = log.committed;
    this.committedTerm = log.tail.termAt(log.committed) ?? 0;
    this.applied = log.applied;
    this.handed = log.handed;
    this.lastIndex = log.lastIndex;
    this.lastTerm = log.lastTerm;
  }
}

/** Asserts all; `before` is the result of the last look at the same core, null: none. */
export function checkInvariants(node: RaftNode, before: CoreSnapshot | null): CoreSnapshot {
  const raft = node.core;
  checkFrontiers(raft);
  checkEntries(raft);
  checkRole(raft);
  if (raft.state.role === Role.Leader) checkLeader(raft, raft.state);
  if (before !== null) checkDelta(raft, before);
  return new CoreSnapshot(raft);
}

function checkFrontiers(raft: Raft): void {
  const { log } = raft;
  const { persist, tail } = log;
  assert(log.applied <= log.handed, "applied ≤ handed");
  assert(log.handed <= log.committed, "handed ≤ committed");
  assert(log.committed <= log.lastIndex, "committed ≤ last");
  assert(tail.baseIndex <= log.committed, "base ≤ committed");
  const isInstalling = log.snapshotPending > 0;
  assert(isInstalling || tail.baseIndex <= log.applied, "base ≤ applied");
  assert(isInstalling || log.handed <= persist.durableIndex, "handed ≤ durable");
  assert(persist.durableIndex <= persist.issuedIndex, "durable ≤ issued");
  assert(persist.issuedIndex <= log.lastIndex, "issued ≤ last");
  assert(persist.durable.term <= persist.issued.term, "durable term ≤ issued term");
  assert(persist.issued.term <= raft.term, "issued term ≤ term");
  assert(persist.durable.commit <= persist.issued.commit, "durable commit ≤ issued commit");
  assert(persist.issued.commit <= log.committed, "issued commit ≤ committed");
  assert(log.confChangeDone <= log.handed, "decided changes were handed out");
  assert(log.lastTerm <= raft.term, "no entry is of a term to come");
  const { promised } = log;
  assert(promised === null || log.lastIndex < promised.index, "a promise reaches beyond the log");
  assert(
    promised === null || raft.role === Role.Follower,
    "who has lost entries does not campaign",
  );
  assert(promised === null || log.attestedIndex >= promised.index, "a hello tells the promise");
}

function checkEntries(raft: Raft): void {
  const { tail } = raft.log;
  const first = Math.max(tail.baseIndex + 1, tail.lastIndex - entriesCheckedMax);
  for (let index = first; index <= tail.lastIndex; index++) {
    const entry = tail.at(index);
    assert(entry.index === index, "entries are dense");
    const before = index - 1 > tail.baseIndex ? tail.at(index - 1) : null;
    if (before === null) continue;
    assert(before.term <= entry.term, "terms never decrease along the log");
    assert(before.wallMs <= entry.wallMs, "stamps never decrease along the log (P11)");
  }
}

function checkRole(raft: Raft): void {
  const { state, kept } = raft;
  const mayKeep = raft.quiet.active || raft.config.lateVoteAnswers;
  assert(kept.isEmpty || (mayKeep && state.role !== Role.Leader), "who keeps requests may do so");
  switch (state.role) {
    case Role.Follower:
      assert(raft.leader !== raft.id, "a follower does not lead");
      assert(state.rank === 0 || raft.leader !== nobody, "a rank is told by the present leader");
      return;
    case Role.PreCandidate:
      assert(raft.leader === nobody, "a pre-candidate has no leader");
      return;
    case Role.Candidate: {
      assert(raft.leader === nobody && raft.vote === raft.id, "a candidate votes for itself");
      const { durable } = raft.log.persist;
      const isDurable = durable.term === raft.term && durable.vote === raft.id;
      assert(isDurable || !state.votes.has(raft.id), "an own vote counts when it is durable");
      return;
    }
    case Role.Leader: {
      assert(raft.leader === raft.id && raft.vote === raft.id, "a leader leads");
      const { durable } = raft.log.persist;
      assert(durable.term === raft.term && durable.vote === raft.id, "its vote is durable");
      return;
    }
  }
}

function checkLeader(raft: Raft, state: LeaderState): void {
  const { log } = raft;
  const ids = memberIds(raft.conf);
  assert(state.tracker.all.length === ids.length, "a leader tracks all members");
  for (const progress of state.tracker.all) {
    assert(isMember(raft.conf, progress.id), "a leader tracks members only");
    assert(progress.match < progress.next, "match < next (lesson 37)");
    assert(progress.match <= log.lastIndex, "match ≤ last");
    assert(progress.next <= log.lastIndex + 1, "next ≤ last + 1");
    const isSnapshot = progress.kind === ProgressKind.Snapshot;
    assert(isSnapshot === progress.pendingSnapshot > 0, "pendingSnapshot belongs to Snapshot");
    const own = progress.id === raft.id;
    assert(!own || progress.match <= log.persist.durableIndex, "own match ≤ durable (lesson 2)");
  }
  let cost = 0;
  for (let i = log.committed + 1; i <= log.lastIndex; i++) cost += proposalCost(log.tail.at(i));
  assert(cost === state.uncommittedBytes, "uncommitted bytes are what is not committed");
  assert(log.tail.termAt(state.termStart) !== null || state.termStart <= log.committed, "opened");
  assert(isVoter(raft.conf, raft.id) === (state.removedAt === 0), "removedAt follows the vote");
}

function checkDelta(raft: Raft, before: CoreSnapshot): void {
  const { log } = raft;
  assert(raft.term >= before.term, "terms never go back");
  assert(log.committed >= before.committed, "commit never goes back");
  assert(log.applied >= before.applied, "applied never goes back");
  const isReplaced = log.snapshotPending > 0 && log.snapshotKeepsLog;
  assert(isReplaced || log.handed >= before.handed, "nothing is handed out twice");
  const committedTerm = log.tail.termAt(before.committed);
  const isSame = committedTerm === null || committedTerm === before.committedTerm;
  assert(isSame, "what is committed never changes");
  if (raft.term !== before.term) return;
  assert(before.vote === nobody || raft.vote === before.vote, "one vote a term");
  if (before.role !== Role.Leader || raft.role !== Role.Leader) return;
  assert(log.lastIndex >= before.lastIndex, "a leader only appends");
  const lastTerm = log.tail.termAt(before.lastIndex);
  assert(lastTerm === null || lastTerm === before.lastTerm, "a leader never overwrites");
}
