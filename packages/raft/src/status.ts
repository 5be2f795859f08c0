// What the core tells about itself: read by the host for status, metrics and doctor. Plain data,
// filled on demand; nothing here steers anything.
import type {
  ConfState,
  Index,
  LogPoint,
  NodeId,
  PersistSeq,
  Role,
  Session,
  Term,
} from "./types.ts";

export const ProgressKind = { Probe: 1, Replicate: 2, Snapshot: 3 } as const;
export type ProgressKind = (typeof ProgressKind)[keyof typeof ProgressKind];

/** What a follower is given over and over, and gets no further (reliability.md §3.7). */
export const StallCause = { Bytes: 1, Refusals: 2, Snapshots: 3 } as const;
export type StallCause = (typeof StallCause)[keyof typeof StallCause];

export interface StallStatus {
  readonly cause: StallCause;
  readonly ticks: number;
  /** Bytes of entries, refusals or snapshots, in vain. */
  readonly count: number;
  /** The follower has got no further than this. */
  readonly index: Index;
}

export interface ProgressStatus {
  readonly id: NodeId;
  readonly kind: ProgressKind;
  readonly match: Index;
  readonly next: Index;
  readonly session: Session;
  /** Ticks since its last answer to this term's messages. */
  readonly silentTicks: number;
  readonly regressed: boolean;
  /** Applied by it, and durably known there to be committed (P2). */
  readonly applied: Index;
  readonly inflightMessages: number;
  readonly inflightBytes: number;
  /** Null: whatever it is sent gets it further. */
  readonly stall: StallStatus | null;
}

export interface RaftStatus {
  readonly id: NodeId;
  readonly role: Role;
  readonly term: Term;
  readonly vote: NodeId;
  readonly leader: NodeId;
  readonly committed: Index;
  readonly applied: Index;
  readonly firstIndex: Index;
  readonly lastIndex: Index;
  readonly lastTerm: Term;
  readonly durableIndex: Index;
  /** What a hello tells: durableIndex, or what was promised beyond it (§3.3 row 3). */
  readonly attestedIndex: Index;
  /** Where the log ended before a part of it was lost and is not filled again; null: it is whole. */
  readonly promised: LogPoint | null;
  readonly persistPending: PersistSeq;
  readonly confState: ConfState;
  readonly quiet: boolean;
  readonly transferee: NodeId;
  readonly level: number;
  /** The last stamp was held back: the own clock is far ahead of the voters' median (P11). */
  readonly clockClamped: boolean;
  /** Leader only, ascending by id; empty otherwise. */
  readonly progress: readonly ProgressStatus[];
}
