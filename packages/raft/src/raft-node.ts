// The one public class of the core: checks what the host hands in and passes it on. Deterministic,
// synchronous, no I/O; the contract is raft-api.ts (inputs) and ready.ts (outputs).
import { assert } from "@quorate/base";
import { campaign, countOwnVote } from "./campaign.ts";
import { appliedByQuorum } from "./commit.ts";
import { checkConfState } from "./confchange/conf-state.ts";
import { checkConfig } from "./config.ts";
import type { InitialState, RaftConfig } from "./config.ts";
import type { ConfChange } from "./conf-change.ts";
import type { Entry, Proposal } from "./entry.ts";
import { endQuiet } from "./late-answers.ts";
import { levelAt, stampAt } from "./log-tail.ts";
import { confChangeApplied, proposeConfChange } from "./membership.ts";
import type { Message } from "./message.ts";
import { hasReady, takeReady } from "./outputs.ts";
import { propose } from "./propose.ts";
import { Raft } from "./raft.ts";
import { ProposeOutcome, ReadOutcome, TransferOutcome } from "./raft-api.ts";
import type { RaftApi, StepOutcome } from "./raft-api.ts";
import type { Ready } from "./ready.ts";
import { leaderPersisted, tickLeader } from "./roles/leader.ts";
import { tickElection } from "./roles/follower.ts";
import { leaderGone, peerSession } from "./sessions.ts";
import { ProgressKind } from "./status.ts";
import type { RaftStatus } from "./status.ts";
import { statusOf } from "./status-of.ts";
import { step } from "./step.ts";
import { startTransfer } from "./transfer.ts";
import { nobody, Role, SnapshotMeta } from "./types.ts";
import type { ConfState, Index, LogPoint, NodeId, PersistSeq, Session, Term } from "./types.ts";

export class RaftNode implements RaftApi {
  /** For invariants, describe and tests (internal.ts); the host has no business in it. */
  readonly core: Raft;

  constructor(config: RaftConfig, initial: InitialState) {
    checkConfig(config);
    checkConfState(initial.confState);
    this.core = new Raft(config, initial);
  }

  // ---- Inputs -------------------------------------------------------------------------------------

  tick(): void {
    const raft = this.core;
    raft.now++;
    if (raft.quiet.tick()) endQuiet(raft);
    const { state } = raft;
    if (state.role === Role.Leader) tickLeader(raft, state);
    else tickElection(raft);
    const isCommitOld = raft.now - raft.lastBatchTick >= raft.config.heartbeatTicks;
    if (isCommitOld && raft.log.committed > raft.log.persist.issued.commit) {
      raft.commitBatchDue = true;
    }
  }

  step(message: Message): StepOutcome {
    return step(this.core, message);
  }

  propose(proposals: readonly Proposal[]): ProposeOutcome {
    const { state } = this.core;
    if (state.role !== Role.Leader) return ProposeOutcome.NotLeader;
    return propose(this.core, state, proposals);
  }

  proposeConfChange(change: ConfChange): ProposeOutcome {
    const { state } = this.core;
    if (state.role !== Role.Leader || state.removedAt > 0) return ProposeOutcome.NotLeader;
    return proposeConfChange(this.core, state, change);
  }

  readIndex(context: number): ReadOutcome {
    const { state } = this.core;
    if (state.role !== Role.Leader) return ReadOutcome.NotLeader;
    return state.reads.add(context) ? ReadOutcome.Accepted : ReadOutcome.Overloaded;
  }

  transferLeadership(to: NodeId): TransferOutcome {
    const { state } = this.core;
    if (state.role !== Role.Leader) return TransferOutcome.NotLeader;
    return startTransfer(this.core, state, to);
  }

  campaign(): void {
    campaign(this.core);
  }

  // ---- Completions --------------------------------------------------------------------------------

  persisted(seq: PersistSeq): void {
    const raft = this.core;
    const { log } = raft;
    let term: Term = 0;
    for (;;) {
      const batch = log.persist.acknowledge(seq);
      if (batch === null) break;
      if (batch.snapshot !== null) {
        log.installed(batch.snapshot.index);
        raft.stateLost = false;
      }
      term = batch.hardState.term;
    }
    log.forgetPromise();
    countOwnVote(raft);
    const { state } = raft;
    if (state.role === Role.Leader) leaderPersisted(raft, state, term);
  }

  applied(index: Index): void {
    this.core.log.appliedTo(index);
  }

  confChangeApplied(change: ConfChange): ConfState {
    return confChangeApplied(this.core, change);
  }

  confChangeRejected(): void {
    this.core.log.confChangeDecided();
  }

  snapshotCreated(snapshot: SnapshotMeta): void {
    const raft = this.core;
    const { tail } = raft.log;
    assert(snapshot.index <= raft.log.committed, "a checkpoint of what is not committed");
    if (raft.snapshot !== null && raft.snapshot.index >= snapshot.index) return;
    raft.snapshot = new SnapshotMeta(
      snapshot.index,
      snapshot.term,
      snapshot.confState,
      snapshot.checkpointId,
      snapshot.level > 0 ? snapshot.level : levelAt(tail, snapshot.index),
      snapshot.wallMs > 0 ? snapshot.wallMs : stampAt(tail, snapshot.index),
    );
    if (raft.state.role === Role.Leader) raft.state.appendsDue = true;
  }

  stateLost(): void {
    const raft = this.core;
    raft.stateLost = true;
    if (raft.role !== Role.Follower) raft.becomeFollower(raft.term, nobody);
  }

  mended(entries: readonly Entry[]): boolean {
    return this.core.log.mend(entries);
  }

  compacted(index: Index): void {
    this.core.log.compact(index);
  }

  // ---- What the host learns of others -------------------------------------------------------------

  peerSession(id: NodeId, session: Session, term: Term, lastIndex: Index): boolean {
    return peerSession(this.core, id, session, term, lastIndex);
  }

  leaderGone(id: NodeId, session: Session): void {
    leaderGone(this.core, id, session);
  }

  endQuiet(): void {
    endQuiet(this.core);
  }

  clock(wallMs: number): void {
    assert(Number.isSafeInteger(wallMs) && wallMs >= 0, "clock: whole milliseconds");
    this.core.clockMs = wallMs;
  }

  peerUnreachable(id: NodeId): void {
    const { state } = this.core;
    if (state.role !== Role.Leader) return;
    const progress = state.tracker.get(id);
    // What is on its way is probably lost: one probe finds out instead of a window of appends.
    if (progress !== null && progress.kind === ProgressKind.Replicate && id !== this.core.id) {
      progress.becomeProbe();
      state.appendsDue = true;
    }
  }

  preferSuccessor(id: NodeId, preference: number): void {
    assert(Number.isFinite(preference), "preference: a number");
    const peer = this.core.peers.getOrAdd(id);
    if (peer !== null) peer.preference = preference;
  }

  snapshotSent(id: NodeId, ok: boolean): void {
    const { state } = this.core;
    if (state.role !== Role.Leader) return;
    const progress = state.tracker.get(id);
    if (progress === null || progress.kind !== ProgressKind.Snapshot) return;
    progress.breaker.snapshotSent(progress.pendingSnapshot, this.core.now);
    if (!ok) {
      progress.snapshotFailed();
      return;
    }
    // It arrived; the answer comes when it is installed. Until then nothing is sent (lesson 42).
    progress.becomeProbe();
    progress.probeSent = true;
  }

  // ---- Outputs ------------------------------------------------------------------------------------

  hasReady(): boolean {
    return hasReady(this.core);
  }

  takeReady(into: Ready): boolean {
    into.clear();
    return takeReady(this.core, into);
  }

  appliedByQuorum(): Index {
    return this.core.role === Role.Leader ? appliedByQuorum(this.core) : 0;
  }

  lastIndex(): Index {
    return this.core.log.lastIndex;
  }

  term(): Term {
    return this.core.term;
  }

  isLeader(): boolean {
    return this.core.role === Role.Leader;
  }

  leader(): NodeId {
    return this.core.leader;
  }

  termAt(index: Index): Term | null {
    return this.core.log.tail.termAt(index);
  }

  entries(first: Index, last: Index, bytesMax: number): readonly Entry[] {
    assert(first <= last, "entries: none asked for");
    return this.core.log.tail.slice(first, bytesMax).slice(0, last - first + 1);
  }

  promised(): LogPoint | null {
    return this.core.log.promised;
  }

  status(): RaftStatus {
    return statusOf(this.core);
  }
}
