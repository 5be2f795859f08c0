// The numbers and small values that every part of the core speaks in. No behaviour lives here.

/** Leadership epoch; never decreases. 0 before the first election. */
export type Term = number;

/** Position of an entry in the log, from 1. 0 means "nothing". */
export type Index = number;

/** Raft id: random in 1 … 2^52 per data directory (DESIGN.md 4). 0 means "nobody". */
export type NodeId = number;

/** Number of a persist batch, from 1, never reused. 0 means "nothing to wait for". */
export type PersistSeq = number;

/** Random in 1 … 2^53 - 1, drawn once per process start (protocols.md P4). 0 means "unknown". */
export type Session = number;

export const nobody: NodeId = 0;
export const sessionUnknown: Session = 0;

/** An entry by its name, which names the whole log up to it (Raft §5.3, Log Matching). */
export interface LogPoint {
  readonly index: Index;
  readonly term: Term;
}

/** Term, vote and commit index: what must survive a crash (Raft figure 2; DESIGN.md 3 for commit). */
export class HardState {
  readonly term: Term;
  readonly vote: NodeId;
  readonly commit: Index;

  constructor(term: Term, vote: NodeId, commit: Index) {
    this.term = term;
    this.vote = vote;
    this.commit = commit;
  }
}

/**
 * The configuration: who votes and who only receives. `votersOutgoing` is non-empty exactly in a
 * joint configuration (thesis §4.3); then both halves need a majority. All arrays are sorted
 * ascending and are never mutated after construction.
 */
export class ConfState {
  readonly voters: readonly NodeId[];
  readonly votersOutgoing: readonly NodeId[];
  readonly learners: readonly NodeId[];
  /** Voters of the outgoing half that become learners when the joint phase ends. */
  readonly learnersNext: readonly NodeId[];
  /** The leader proposes the leave itself as soon as the joint configuration is applied. */
  readonly autoLeave: boolean;
  /**
   * Learners of before the joint phase that are still members: what a rollback makes learners
   * again. Empty outside a joint configuration; disjoint from `votersOutgoing`.
   */
  readonly learnersOutgoing: readonly NodeId[];

  constructor(
    voters: readonly NodeId[],
    votersOutgoing: readonly NodeId[],
    learners: readonly NodeId[],
    learnersNext: readonly NodeId[],
    autoLeave: boolean,
    learnersOutgoing: readonly NodeId[] = [],
  ) {
    this.voters = voters;
    this.votersOutgoing = votersOutgoing;
    this.learners = learners;
    this.learnersNext = learnersNext;
    this.autoLeave = autoLeave;
    this.learnersOutgoing = learnersOutgoing;
  }
}

/** A snapshot as the core sees it: state up to `index`, whose entry had `term`, under `confState`. */
export class SnapshotMeta {
  readonly index: Index;
  readonly term: Term;
  readonly confState: ConfState;
  /** The host's own name for the checkpoint behind it (storage's checkpoint id); opaque here. */
  readonly checkpointId: number;
  /** Feature level of the next entry (P11); 0: not told, the receiver keeps the one it knows. */
  readonly level: number;
  /** A stamp not below that of the entry at `index` (P11); 0: not told. */
  readonly wallMs: number;

  constructor(
    index: Index,
    term: Term,
    confState: ConfState,
    checkpointId: number,
    level: number = 0,
    wallMs: number = 0,
  ) {
    this.index = index;
    this.term = term;
    this.confState = confState;
    this.checkpointId = checkpointId;
    this.level = level;
    this.wallMs = wallMs;
  }
}

export const Role = { Follower: 1, PreCandidate: 2, Candidate: 3, Leader: 4 } as const;
export type Role = (typeof Role)[keyof typeof Role];
