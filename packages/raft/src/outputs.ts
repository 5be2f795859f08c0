// How the core's outputs become a Ready (ready.ts tells the law). A batch takes everything not yet
// on its way to the disk; while as many batches as allowed are out, the rest gathers and goes as
// one: group commit. Messages that wait for the disk wait for that batch too.
import type { PersistBatch, Ready } from "./ready.ts";
import { readsDue, startReadRound } from "./roles/leader.ts";
import type { Raft } from "./raft.ts";
import { sendAppends } from "./replicate.ts";
import { HardState, Role } from "./types.ts";
import type { Index, SnapshotMeta } from "./types.ts";

export function hasReady(raft: Raft): boolean {
  const { state, log } = raft;
  if (raft.messages.length > 0 || log.handed < log.appliable) return true;
  if (raft.readStates.length > 0 || raft.readsDropped.length > 0) return true;
  if (raft.dropped.length > 0 || isRoleNews(raft)) return true;
  if (state.role === Role.Leader && (state.appendsDue || readsDue(raft, state))) return true;
  const isSyncDue = needsSync(raft);
  if (isSyncDue || needsCommitBatch(raft)) {
    if (log.snapshotToInstall !== null || !log.persist.full) return true;
  }
  return raft.messagesAfterPersist.length > 0 && !isSyncDue;
}

/** Fills a cleared Ready; false when there is nothing in it. */
export function takeReady(raft: Raft, into: Ready): boolean {
  const { state, log } = raft;
  if (state.role === Role.Leader) {
    if (readsDue(raft, state)) startReadRound(raft, state);
    if (state.appendsDue) sendAppends(raft, state);
  }
  move(raft.messages, into.messages);
  fillBatch(raft, into.persist);
  if (!needsSync(raft)) {
    move(raft.messagesAfterPersist, into.messagesAfterPersist);
    if (into.messagesAfterPersist.length > 0) into.afterPersist = log.persist.pending;
  }
  if (log.handed < log.appliable) {
    log.handOut(raft.config.committedBytesPerReadyMax, into.committed);
  }
  move(raft.readStates, into.reads);
  move(raft.readsDropped, into.readsDropped);
  move(raft.dropped, into.dropped);
  into.roleChanged = isRoleNews(raft);
  into.role = raft.toldRole = raft.role;
  into.leader = raft.toldLeader = raft.leader;
  into.term = raft.toldTerm = raft.term;
  return isFilled(into);
}

function fillBatch(raft: Raft, batch: PersistBatch): void {
  const { log } = raft;
  const { persist, snapshotToInstall } = log;
  const isSyncDue = needsSync(raft);
  if (!isSyncDue && !needsCommitBatch(raft)) return;
  // A snapshot goes at once, and alone: the host has it staged and waits for the word.
  if (persist.full && snapshotToInstall === null) return;
  const lastIndex = lastIndexOf(raft, snapshotToInstall);
  const commit = Math.min(log.committed, lastIndex);
  if (lastIndex > persist.issuedIndex) {
    batch.firstIndex = persist.issuedIndex + 1;
    for (let i = batch.firstIndex; i <= lastIndex; i++) batch.entries.push(log.tail.at(i));
  }
  batch.hardState = new HardState(raft.term, raft.vote, commit);
  batch.snapshot = snapshotToInstall;
  batch.keepsLog = snapshotToInstall !== null && log.snapshotKeepsLog;
  batch.mustSync = isSyncDue;
  batch.seq = persist.issue(batch.hardState, snapshotToInstall, lastIndex, isSyncDue);
  log.snapshotToInstall = null;
  raft.syncDue = false;
  raft.commitBatchDue = false;
  raft.lastBatchTick = raft.now;
}

/** Where the log on the disk ends once the batch is there: a snapshot's batch holds no entries. */
function lastIndexOf({ log }: Raft, snapshot: SnapshotMeta | null): Index {
  if (snapshot === null) return log.lastIndex;
  return log.snapshotKeepsLog ? log.persist.issuedIndex : snapshot.index;
}

/** Term, vote, entries or a snapshot wait for the disk, or an applied configuration change. */
function needsSync(raft: Raft): boolean {
  const { log } = raft;
  const { issued, issuedIndex } = log.persist;
  return (
    log.lastIndex > issuedIndex ||
    raft.term !== issued.term ||
    raft.vote !== issued.vote ||
    log.snapshotToInstall !== null ||
    raft.syncDue
  );
}

/** The commit index alone goes seldom: a restart learns it from any leader (lesson 3). */
function needsCommitBatch(raft: Raft): boolean {
  return raft.commitBatchDue && raft.log.committed > raft.log.persist.issued.commit;
}

function isRoleNews(raft: Raft): boolean {
  return (
    raft.role !== raft.toldRole || raft.leader !== raft.toldLeader || raft.term !== raft.toldTerm
  );
}

function move<T>(from: T[], into: T[]): void {
  for (let i = 0; i < from.length; i++) into.push(from[i]!);
  from.length = 0;
}

function isFilled(ready: Ready): boolean {
  return (
    ready.messages.length > 0 ||
    ready.persist.seq > 0 ||
    ready.messagesAfterPersist.length > 0 ||
    ready.committed.length > 0 ||
    ready.reads.length > 0 ||
    ready.readsDropped.length > 0 ||
    ready.dropped.length > 0 ||
    ready.roleChanged
  );
}
