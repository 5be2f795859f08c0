// Fills a RaftStatus: reading only.
import type { Raft } from "./raft.ts";
import type { ProgressStatus, RaftStatus } from "./status.ts";
import { nobody, Role } from "./types.ts";

export function statusOf(raft: Raft): RaftStatus {
  const { log, state } = raft;
  return {
    id: raft.id,
    role: raft.role,
    term: raft.term,
    vote: raft.vote,
    leader: raft.leader,
    committed: log.committed,
    applied: log.applied,
    firstIndex: log.firstIndex,
    lastIndex: log.lastIndex,
    lastTerm: log.lastTerm,
    durableIndex: log.persist.durableIndex,
    attestedIndex: log.attestedIndex,
    promised: log.promised,
    persistPending: log.persist.pending,
    confState: raft.conf,
    quiet: raft.quiet.active,
    transferee: state.role === Role.Leader ? state.transferee : nobody,
    level: log.tail.nextLevel,
    clockClamped: raft.clockClamped,
    progress: progressOf(raft),
  };
}

function progressOf(raft: Raft): readonly ProgressStatus[] {
  const { state } = raft;
  if (state.role !== Role.Leader) return [];
  return state.tracker.all.map((progress) => ({
    id: progress.id,
    kind: progress.kind,
    match: progress.match,
    next: progress.next,
    session: progress.session,
    silentTicks: raft.now - progress.lastAnswerTick,
    regressed: progress.regressed,
    applied:
      progress.id === raft.id ? raft.appliedDurably() : (raft.peers.get(progress.id)?.applied ?? 0),
    inflightMessages: progress.inflights.count,
    inflightBytes: progress.inflights.bytes,
    stall: progress.breaker.status(raft.now),
  }));
}
