// What a member knows only while it plays a role: votes as candidate, progress, reads and transfer
// as leader. A change of role makes a new object, so that nothing of an old term survives.
import type { RaftConfig } from "../config.ts";
import type { ReadIndexQueue } from "../read-index.ts";
import type { Tracker } from "../tracker/tracker.ts";
import { nobody, Role } from "../types.ts";
import type { Index, NodeId } from "../types.ts";

export class FollowerState {
  readonly role: typeof Role.Follower;
  /** Told by the leader of this term: the place in the order of succession, from 1; 0: none. */
  rank: number;

  constructor() {
    this.role = Role.Follower;
    this.rank = 0;
  }
}

export class CandidateState {
  readonly role: typeof Role.PreCandidate | typeof Role.Candidate;
  /** Number of the pre-vote or vote round; answers echo it. */
  readonly round: number;
  readonly votes: Map<NodeId, boolean>;
  /** Tick at which each grant came: the new leader takes them as answers (P7). */
  readonly grantTicks: Map<NodeId, number>;

  constructor(role: typeof Role.PreCandidate | typeof Role.Candidate, round: number) {
    this.role = role;
    this.round = round;
    this.votes = new Map();
    this.grantTicks = new Map();
  }
}

export class LeaderState {
  readonly role: typeof Role.Leader;
  readonly tracker: Tracker;
  readonly reads: ReadIndexQueue;
  heartbeatElapsed: number;
  /** Index of the empty entry that opened this term; committed: reads and changes are possible. */
  readonly termStart: Index;
  /** Cost of the proposals not yet committed. Invariant: ≥ 0. */
  uncommittedBytes: number;
  /** Something may have to be sent: looked at when the next Ready is taken. */
  appendsDue: boolean;
  /** Leadership is being handed to (thesis §3.10); nobody: no transfer. */
  transferee: NodeId;
  transferElapsed: number;
  /** Index of the applied change that took our own vote; 0: we are a voter (P2). */
  removedAt: Index;
  /** The heartbeat round whose answers are timed, and the tick at which it left; 0: none yet. */
  timedRound: number;
  timedTick: number;
  /** Made once: what quorum arithmetic asks per voter. */
  readonly matchOf: (id: NodeId) => Index;
  readonly answerTickOf: (id: NodeId) => number;

  constructor(tracker: Tracker, reads: ReadIndexQueue, termStart: Index, uncommitted: number) {
    this.role = Role.Leader;
    this.tracker = tracker;
    this.reads = reads;
    this.heartbeatElapsed = 0;
    this.termStart = termStart;
    this.uncommittedBytes = uncommitted;
    this.appendsDue = true;
    this.transferee = nobody;
    this.transferElapsed = 0;
    this.removedAt = 0;
    this.timedRound = 0;
    this.timedTick = 0;
    this.matchOf = (id) => tracker.get(id)?.match ?? 0;
    this.answerTickOf = (id) => tracker.get(id)?.lastAnswerTick ?? 0;
  }
}

export type RoleState = FollowerState | CandidateState | LeaderState;

export function randomElectionTimeout(config: RaftConfig): number {
  const jitter = config.random.below(config.electionTimeoutRandomizationTicks + 1);
  return config.electionTimeoutTicks + jitter;
}

export function rankedElectionTimeout(config: RaftConfig, rank: number): number {
  const jitter = config.random.below(config.electionRankJitterTicks + 1);
  return config.electionTimeoutTicks + (rank - 1) * config.electionRankSlotTicks + jitter;
}
