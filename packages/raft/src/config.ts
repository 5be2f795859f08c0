// What a core is made with: settings with units and bounds, and the state that the disk gave back.
import { assert } from "@quorate/base";
import type { Entry } from "./entry.ts";
import type { ConfState, HardState, Index, NodeId, Session, Term, LogPoint } from "./types.ts";

/** The core's only source of randomness: election jitter. */
export interface RaftRandom {
  /** Uniform in 0 … n - 1. */
  below(n: number): number;
}

export interface RaftConfig {
  readonly id: NodeId;
  readonly session: Session;
  /** Length of a tick; only `wallMs` stamps are computed from it (P11). */
  readonly tickMs: number;
  readonly electionTimeoutTicks: number;
  /** An election timer waits electionTimeoutTicks + U[0, this]. */
  readonly electionTimeoutRandomizationTicks: number;
  /**
   * Ranked timeouts: as leader, tell the followers their ranks of succession; as follower of rank r,
   * wait electionTimeoutTicks + (r - 1) × this + U[0, electionRankJitterTicks] instead. 0: off. A
   * slot should cover a round trip and an fsync: the next one then does not ask while one is elected.
   */
  readonly electionRankSlotTicks: number;
  readonly electionRankJitterTicks: number;
  /** Pre-votes that come while a leader's lease runs are answered when it ends (late-answers.ts). */
  readonly lateVoteAnswers: boolean;
  readonly heartbeatTicks: number;
  readonly random: RaftRandom;
  /** Entries' bytes in one AppendEntries; a larger single entry still goes alone. */
  readonly messageBytesMax: number;
  readonly inflightMessagesMax: number;
  readonly inflightBytesMax: number;
  /** A follower that got no further was sent so many bytes, and four times what it lacks: breaker.ts. */
  readonly futileBytesMax: number;
  /** Beyond this many bytes of uncommitted proposals `propose` answers Overloaded. */
  readonly uncommittedBytesMax: number;
  /** Payloads above this are refused with TooLarge. */
  readonly proposalBytesMax: number;
  /** Bytes of committed entries in one Ready (at least one entry always goes). */
  readonly committedBytesPerReadyMax: number;
  /** With this many batches not yet persisted, further ones are held back and merged: group commit. */
  readonly persistBatchesInFlightMax: number;
  /** Pending linearizable reads beyond this are refused. */
  readonly pendingReadsMax: number;
  /** Feature level stamped into entries until a Level entry says otherwise (P11). */
  readonly level: number;
  /** Start without making promises: a directory that was used before (P5). */
  readonly quiet: boolean;
  /**
   * Ticks after evidence of a dead leader before own candidacy: base + U[0, spread] (P6: 20 + 50 ms);
   * for rank r, base + (r - 1) × two slots + U[0, electionRankJitterTicks].
   */
  readonly closeHintBaseTicks: number;
  readonly closeHintSpreadTicks: number;
}

/** What the disk remembers. Nothing is read from it later: the log lives in memory from here on. */
export interface InitialState {
  readonly hardState: HardState;
  readonly confState: ConfState;
  /** The entry just below `entries[0]`: checkpoint or compaction point. 0/0 for an empty log. */
  readonly snapshotIndex: Index;
  readonly snapshotTerm: Term;
  /** Dense, starting at snapshotIndex + 1; all durable. */
  readonly entries: readonly Entry[];
  /** The state machine already holds everything up to here; ≥ snapshotIndex. */
  readonly applied: Index;
  /** Newest stamp of any entry ever written here; 0 if none (P11). */
  readonly wallMs: number;
  /** Feature level in force at `snapshotIndex`; level entries in `entries` follow it. */
  readonly level: number;
  /** The log is whole, the state at `applied` is not: see RaftApi.stateLost. */
  readonly stateLost?: boolean;
  /**
   * Where the log ended before bytes of it were lost (reliability.md §3.3 row 3): behind `entries`,
   * attested by what is left. Null: `entries` is the whole log.
   */
  readonly promised?: LogPoint | null;
}

export const raftDefaults: Omit<RaftConfig, "id" | "session" | "random"> = {
  tickMs: 10,
  electionTimeoutTicks: 100,
  electionTimeoutRandomizationTicks: 100,
  electionRankSlotTicks: 0,
  electionRankJitterTicks: 2,
  lateVoteAnswers: false,
  heartbeatTicks: 10,
  messageBytesMax: 1_048_576,
  inflightMessagesMax: 256,
  inflightBytesMax: 16_777_216,
  futileBytesMax: 67_108_864,
  uncommittedBytesMax: 67_108_864,
  proposalBytesMax: 8_388_608,
  committedBytesPerReadyMax: 4_194_304,
  persistBatchesInFlightMax: 2,
  pendingReadsMax: 65_536,
  level: 1,
  quiet: false,
  closeHintBaseTicks: 2,
  closeHintSpreadTicks: 5,
};

export function checkConfig(config: RaftConfig): void {
  assert(Number.isSafeInteger(config.id) && config.id >= 1, "raft id must be a positive integer");
  assert(config.id <= 2 ** 52, "raft id must be at most 2^52");
  assert(Number.isSafeInteger(config.session) && config.session >= 1, "session must be positive");
  assert(config.heartbeatTicks >= 1, "heartbeatTicks must be at least 1");
  assert(config.electionTimeoutTicks > config.heartbeatTicks, "election timeout ≤ heartbeat");
  assert(config.electionTimeoutRandomizationTicks >= 0, "negative randomization");
  const { electionRankSlotTicks: slot, electionRankJitterTicks: jitter } = config;
  assert(Number.isSafeInteger(slot) && slot >= 0, "electionRankSlotTicks: whole ticks");
  assert(Number.isSafeInteger(jitter) && jitter >= 0, "electionRankJitterTicks: whole ticks");
  assert(config.persistBatchesInFlightMax >= 1, "persistBatchesInFlightMax must be at least 1");
  assert(config.inflightMessagesMax >= 1, "inflightMessagesMax must be at least 1");
  assert(config.messageBytesMax <= config.inflightBytesMax, "one message must fit the window");
}
