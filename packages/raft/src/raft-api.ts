// The public face of the core as an interface: class RaftNode (raft-node.ts) implements it.
// All inputs are synchronous and none throws on what a peer sends.
import type { ConfChange } from "./conf-change.ts";
import type { Entry, Proposal } from "./entry.ts";
import type { Message } from "./message.ts";
import type { Ready } from "./ready.ts";
import type { RaftStatus } from "./status.ts";
import type {
  ConfState,
  Index,
  LogPoint,
  NodeId,
  PersistSeq,
  Session,
  SnapshotMeta,
  Term,
} from "./types.ts";

export const StepOutcome = {
  Handled: 1,
  /** Of an older term or session, or an answer to a question no longer asked. */
  IgnoredStale: 2,
} as const;
export type StepOutcome = (typeof StepOutcome)[keyof typeof StepOutcome];

export const ProposeOutcome = {
  Accepted: 1,
  NotLeader: 2,
  /** uncommittedBytesMax reached. */
  Overloaded: 3,
  TooLarge: 4,
  /** A leadership transfer is under way (thesis §3.10). */
  Transferring: 5,
  /** A configuration change is in flight, or not allowed in the present configuration. */
  ConfChangePending: 6,
} as const;
export type ProposeOutcome = (typeof ProposeOutcome)[keyof typeof ProposeOutcome];

export const ReadOutcome = {
  /** A ReadState or an entry in readsDropped follows. */
  Accepted: 1,
  NotLeader: 2,
  Overloaded: 3,
} as const;
export type ReadOutcome = (typeof ReadOutcome)[keyof typeof ReadOutcome];

export const TransferOutcome = {
  Started: 1,
  NotLeader: 2,
  /** Unknown, learner, self, or already the target. */
  BadTarget: 3,
} as const;
export type TransferOutcome = (typeof TransferOutcome)[keyof typeof TransferOutcome];

export interface RaftApi {
  /** One tick passed. After a stall the host clamps the count (P7). */
  tick(): void;
  step(message: Message): StepOutcome;

  /**
   * Leader only. Accepted: the proposals took the indexes `lastIndex + 1 …` in order, in the
   * current term; `lastProposedIndex()` tells the last of them.
   */
  propose(proposals: readonly Proposal[]): ProposeOutcome;
  proposeConfChange(change: ConfChange): ProposeOutcome;
  /** Leader only: confirm leadership once for all reads of a turn. `context` is never reused. */
  readIndex(context: number): ReadOutcome;
  transferLeadership(to: NodeId): TransferOutcome;
  campaign(): void;

  /** Every batch up to `seq` is durable. */
  persisted(seq: PersistSeq): void;
  /** The state machine holds everything up to `index`. */
  applied(index: Index): void;
  /**
   * A ConfChange entry is applied: the new configuration holds from here on. Exactly one of the
   * two for each ConfChange entry in `Ready.committed`, before `applied` of its index.
   */
  confChangeApplied(change: ConfChange): ConfState;
  confChangeRejected(): void;
  /** A checkpoint is durable and may be sent to followers that lag behind the log. */
  snapshotCreated(snapshot: SnapshotMeta): void;
  /**
   * The state machine has lost what it had applied, the log is whole: this member goes on voting and
   * acknowledging, does not lead, and takes the state of a snapshot that its log already holds. It is
   * over when such a snapshot is installed (reliability.md §3.3 row 14).
   */
  stateLost(): void;
  /**
   * Entries that this member's own log held behind its present last one before they were lost, dense
   * from lastIndex + 1 on. The caller has proved that they are the same: a log that holds our last
   * entry holds them, and holds behind them one that ours held (§5.3, Log Matching). False: they do
   * not continue the log, or reach beyond what was promised; nothing is changed.
   */
  mended(entries: readonly Entry[]): boolean;
  /** Drop the log up to and including `index` from memory; index ≤ applied. */
  compacted(index: Index): void;

  /**
   * The hello of a peer (P4). Returns true when the peer is REGRESSED: its disk forgot something
   * it had acknowledged or granted to this process.
   */
  peerSession(id: NodeId, session: Session, term: Term, lastIndex: Index): boolean;
  /** Evidence by P6 that the process `session` of the leader is dead. */
  leaderGone(id: NodeId, session: Session): void;
  /** P5 (b): all other voters answered the hello and none knows better. */
  endQuiet(): void;
  /** One reading of the own wall clock per turn, ms since 1970 (P11). */
  clock(wallMs: number): void;
  peerUnreachable(id: NodeId): void;
  /**
   * Ranked timeouts: among voters with equal logs the one with the larger number goes first. 0 for
   * whom nothing is said; lasts as long as this process. Only ever advice.
   */
  preferSuccessor(id: NodeId, preference: number): void;
  /** The transfer that an InstallSnapshot message asked for has ended. */
  snapshotSent(id: NodeId, ok: boolean): void;

  hasReady(): boolean;
  /** Fills `into` (cleared first); false when there is nothing. */
  takeReady(into: Ready): boolean;
  lastIndex(): Index;
  term(): Term;
  /**
   * What a quorum (of both halves) of the voters has applied and durably knows to be committed:
   * from here on a removed member may be told so and go (P2). Leader only; 0 otherwise.
   */
  appliedByQuorum(): Index;
  isLeader(): boolean;
  leader(): NodeId;
  /** Term of the entry at `index`, or null when compacted or beyond the log. */
  termAt(index: Index): Term | null;
  /** Entries from `first` to `last`, of which it has both; at most `bytesMax`, but at least one. */
  entries(first: Index, last: Index, bytesMax: number): readonly Entry[];
  /** Where the log ended before a part of it was lost and is not filled again; null: it is whole. */
  promised(): LogPoint | null;
  status(): RaftStatus;
}
