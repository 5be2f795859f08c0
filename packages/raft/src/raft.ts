// The state that all roles share, and the changes of term and role. What a role does with a message
// is in roles/, what goes to followers in replicate.ts; how outputs become a Ready in outputs.ts.
// Nothing here talks to the outside.
import { assert, emptyBytes } from "@quorate/base";
import { CloseHint } from "./close-hint.ts";
import type { InitialState, RaftConfig } from "./config.ts";
import { isVoter } from "./confchange/conf-state.ts";
import { Entry, EntryKind, entryBytes } from "./entry.ts";
import { KeptRequests } from "./kept-requests.ts";
import { Log } from "./log.ts";
import type { MessageType } from "./message.ts";
import { isAnswer, Message } from "./message.ts";
import { OwnProposals } from "./own-proposals.ts";
import { Peers } from "./peers.ts";
import { QuietStart } from "./quiet.ts";
import { ReadIndexQueue } from "./read-index.ts";
import type { DroppedProposal, ReadState } from "./ready.ts";
import {
  CandidateState,
  FollowerState,
  LeaderState,
  randomElectionTimeout,
} from "./roles/role-state.ts";
import type { RoleState } from "./roles/role-state.ts";
import { Tracker } from "./tracker/tracker.ts";
import { nobody, Role } from "./types.ts";
import type { ConfState, Index, NodeId, SnapshotMeta, Term } from "./types.ts";

/**
 * Messages queued until the next Ready; what exceeds it is lost, as messages may be. Only not a
 * snapshot, at most one per follower: its transfer would be waited for in vain.
 */
const messagesMax = 65_536;

export class Raft {
  readonly config: RaftConfig;
  readonly id: NodeId;
  term: Term;
  vote: NodeId;
  leader: NodeId;
  state: RoleState;
  readonly log: Log;
  /** In force as of the last applied configuration change (P2). */
  conf: ConfState;
  readonly peers: Peers;
  readonly hint: CloseHint;
  readonly quiet: QuietStart;
  readonly kept: KeptRequests;
  readonly ownProposals: OwnProposals;
  /** Ticks since this process began. */
  now: number;
  /** Since a leader was heard, a vote was granted or an own campaign began. */
  electionElapsed: number;
  electionTimeout: number;
  /** Newest reading of the own wall clock, ms since 1970; 0: none yet. */
  clockMs: number;
  clockClamped: boolean;
  /** The newest checkpoint that may be sent to followers; null: none. */
  snapshot: SnapshotMeta | null;
  /** The state machine has lost what it had applied; what was promised is whole (§3.3 row 14). */
  stateLost: boolean;
  /** Numbers of heartbeat rounds, vote rounds and snapshot transfers; never reused. */
  heartbeatRound: number;
  voteRound: number;
  transferNumber: number;
  /** The next batch is synced whatever it holds: a configuration change was applied (P2). */
  syncDue: boolean;
  /** A batch for the commit index alone may go. */
  commitBatchDue: boolean;
  lastBatchTick: number;
  readonly messages: Message[];
  readonly messagesAfterPersist: Message[];
  readonly readStates: ReadState[];
  readonly readsDropped: number[];
  readonly dropped: DroppedProposal[];
  toldRole: Role;
  toldLeader: NodeId;
  toldTerm: Term;

  constructor(config: RaftConfig, initial: InitialState) {
    this.config = config;
    this.id = config.id;
    this.term = initial.hardState.term;
    this.vote = initial.hardState.vote;
    this.leader = nobody;
    this.state = new FollowerState();
    const level = initial.level > 0 ? initial.level : config.level;
    this.log = new Log(initial, level, config.persistBatchesInFlightMax);
    this.conf = initial.confState;
    this.peers = new Peers();
    this.hint = new CloseHint(config);
    this.quiet = new QuietStart(config, config.quiet && !isOnlyVoter(initial.confState, config.id));
    this.kept = new KeptRequests();
    this.ownProposals = new OwnProposals();
    this.now = 0;
    this.electionElapsed = 0;
    this.electionTimeout = randomElectionTimeout(config);
    this.clockMs = 0;
    this.clockClamped = false;
    this.snapshot = null;
    this.stateLost = initial.stateLost === true;
    this.heartbeatRound = 0;
    this.voteRound = 0;
    this.transferNumber = 0;
    this.syncDue = false;
    this.commitBatchDue = false;
    this.lastBatchTick = 0;
    this.messages = [];
    this.messagesAfterPersist = [];
    this.readStates = [];
    this.readsDropped = [];
    this.dropped = [];
    this.toldRole = Role.Follower;
    this.toldLeader = nobody;
    this.toldTerm = this.term;
  }

  get role(): Role {
    return this.state.role;
  }

  // ---- Roles --------------------------------------------------------------------------------------

  becomeFollower(term: Term, leader: NodeId): void {
    assert(term >= this.term, "raft: term went back");
    assert(leader !== this.id, "raft: follower of itself");
    // Somebody is a candidate of it.
    if (term > this.term && leader === nobody) this.hint.giveWay(this.now);
    this.#leaveRole(term);
    this.state = new FollowerState();
    this.follow(leader);
  }

  /** A leader of this term is known (or none): what was held against its predecessor has served. */
  follow(leader: NodeId): void {
    this.leader = leader;
    if (leader !== nobody && this.hint.active) this.hint.end();
  }

  /** Nothing is promised and no term begun: the others are only asked (thesis §9.6). */
  becomePreCandidate(): CandidateState {
    assert(this.role !== Role.Leader, "raft: a leader does not campaign");
    this.#leaveRole(this.term);
    this.leader = nobody;
    this.voteRound++;
    const state = new CandidateState(Role.PreCandidate, this.voteRound);
    this.state = state;
    return state;
  }

  becomeCandidate(): CandidateState {
    assert(this.role !== Role.Leader, "raft: a leader does not campaign");
    this.#leaveRole(this.term + 1);
    this.leader = nobody;
    this.vote = this.id;
    this.voteRound++;
    const state = new CandidateState(Role.Candidate, this.voteRound);
    this.state = state;
    return state;
  }

  becomeLeader(grantTicks: ReadonlyMap<NodeId, number>): LeaderState {
    assert(this.role === Role.Candidate, "raft: only a candidate becomes leader");
    const { config, log } = this;
    assert(log.persist.durable.term === this.term, "raft: led before the own vote was durable");
    this.#leaveRole(this.term);
    const tracker = new Tracker(config.inflightMessagesMax, config.inflightBytesMax, {
      bytesMax: config.futileBytesMax,
      tickMs: config.tickMs,
    });
    tracker.reset(this.conf, this.id, log.lastIndex, this.now);
    for (const progress of tracker.all) {
      // Who has not granted has not answered: long enough ago not to count (P7).
      const silent = this.now - config.electionTimeoutTicks - 1;
      progress.lastAnswerTick = grantTicks.get(progress.id) ?? silent;
      this.introduce(progress);
    }
    let uncommitted = 0;
    for (let i = log.committed + 1; i <= log.lastIndex; i++) {
      uncommitted += proposalCost(log.tail.at(i));
    }
    const reads = new ReadIndexQueue(config.pendingReadsMax, this.id);
    const state = new LeaderState(tracker, reads, log.lastIndex + 1, uncommitted);
    this.state = state;
    this.leader = this.id;
    this.hint.end();
    this.ownProposals.led(this.term);
    return state;
  }

  /** What is known of a peer goes into the progress that a leader begins for it. */
  introduce(progress: Tracker["all"][number]): void {
    const peer = this.peers.get(progress.id);
    if (peer === null) return;
    progress.session = peer.session;
    progress.regressed = peer.regressed;
  }

  #leaveRole(term: Term): void {
    const left = this.state;
    if (left.role === Role.Leader) left.reads.drop(this.readsDropped);
    if (term !== this.term) {
      this.term = term;
      this.vote = nobody;
    }
    this.#forgetOutgoing(left.role);
    this.restartElectionTimer();
  }

  /** Drawn anew at every reset, or two members that once collided would go on doing so (lesson 25). */
  restartElectionTimer(): void {
    this.electionElapsed = 0;
    this.electionTimeout = randomElectionTimeout(this.config);
  }

  // Held back for a slow disk, they speak of a role or term that is over: a vote request might even
  // quote entries that are truncated before they ever become durable.
  #forgetOutgoing(left: Role): void {
    const queue = this.messagesAfterPersist;
    if (queue.length === 0) return;
    const asked = left === Role.Candidate || left === Role.PreCandidate;
    let kept = 0;
    for (const message of queue) {
      const stale = message.term < this.term || (asked && !isAnswer(message.type));
      if (!stale) queue[kept++] = message;
    }
    queue.length = kept;
  }

  /**
   * May campaign. Not who is no voter, has promised to be quiet (P5), waits for a snapshot
   * (lesson 44), has lost its state or a part of its log, or holds a committed configuration change
   * that it has not applied (lesson 29).
   */
  isPromotable(): boolean {
    return (
      isVoter(this.conf, this.id) &&
      !this.quiet.active &&
      this.log.snapshotPending === 0 &&
      !this.stateLost &&
      this.log.promised === null &&
      !this.log.confChangeUnapplied
    );
  }

  /** A living leader is known: no vote for others (lesson 21), unless there is evidence (P6). */
  inLease(): boolean {
    if (this.role === Role.Leader) return true;
    if (this.leader === nobody || this.hint.active) return false;
    return this.electionElapsed < this.config.electionTimeoutTicks;
  }

  // ---- Log ----------------------------------------------------------------------------------------

  append(kind: EntryKind, payload: Uint8Array, wallMs: number): Entry {
    const { tail } = this.log;
    const entry = new Entry(this.term, tail.lastIndex + 1, kind, tail.nextLevel, wallMs, payload);
    tail.push(entry);
    return entry;
  }

  appendEmpty(wallMs: number): Entry {
    return this.append(EntryKind.Empty, emptyBytes, wallMs);
  }

  /** True when it moved. */
  commitTo(index: Index): boolean {
    const before = this.log.committed;
    if (index <= before) return false;
    this.log.commitTo(index);
    if (this.state.role === Role.Leader) this.#release(this.state, before);
    this.ownProposals.settle(this.log, this.dropped);
    return true;
  }

  #release(leader: LeaderState, before: Index): void {
    for (let i = before + 1; i <= this.log.committed; i++) {
      leader.uncommittedBytes -= proposalCost(this.log.tail.at(i));
    }
    assert(leader.uncommittedBytes >= 0, "raft: more committed than proposed");
  }

  /** What an answer tells the leader about applied changes: nothing that a power loss takes (P2). */
  appliedDurably(): Index {
    return Math.min(this.log.applied, this.log.persist.durableCommit);
  }

  // ---- Messages -----------------------------------------------------------------------------------

  request(type: MessageType, to: NodeId): Message {
    const message = new Message(type, this.id, to, this.term);
    message.session = this.config.session;
    message.toSession = this.peers.sessionOf(to);
    return message;
  }

  answer(type: MessageType, request: Message): Message {
    const message = new Message(type, this.id, request.from, this.term);
    message.session = this.config.session;
    message.toSession = request.session;
    message.number = request.number;
    message.sentMs = request.sentMs;
    message.wallMs = this.clockMs;
    return message;
  }

  send(message: Message): void {
    const isKept = this.messages.length < messagesMax || message.snapshot !== null;
    if (isKept) this.messages.push(message);
  }

  /** Leaves when everything that is in the log and the hard state now is durable. */
  sendAfterPersist(message: Message): void {
    if (this.messagesAfterPersist.length < messagesMax) this.messagesAfterPersist.push(message);
  }
}

/** What an entry counts against uncommittedBytesMax: only what clients proposed (lesson 11, 31). */
export function proposalCost(entry: Entry): number {
  const isOwn = entry.kind === EntryKind.Empty || entry.kind === EntryKind.ConfChange;
  return isOwn ? 0 : entryBytes(entry);
}

export function isOnlyVoter(conf: ConfState, id: NodeId): boolean {
  return conf.votersOutgoing.length === 0 && conf.voters.length === 1 && conf.voters[0] === id;
}
