// What the rest of storage may ask of the write-ahead log (reliability.md §3.2, protocols.md P8).
// The WAL owns the order and durability of batches and the files they stand in; it keeps no
// entries, knows nothing of rows, and touches the manifest only for its own segments.
import type { Entry, HardState, Index, LogPoint, NodeId, Term } from "@quorate/raft";
import type { Env } from "../env.ts";
import type { CheckpointEntry, ManifestApi } from "../manifest/manifest-api.ts";
import type { PeerRecord, Refusal, WalAppend } from "../storage-api.ts";

/** A snapshot is about to be put in force: the log starts at `index` if and when it is (P9). */
export interface WalMark {
  readonly index: Index;
  readonly term: Term;
  /** Id of the checkpoint that must be in force for this mark to count. */
  readonly checkpointId: number;
  readonly hardState: HardState;
  /** The log has this very entry: it goes on behind its own end, not behind the mark (P8, P9). */
  readonly keepsLog: boolean;
}

export interface WalOptions {
  /** Size of segments made from now on: a multiple of 4 KiB, at least 8 KiB and one entry. */
  readonly segmentBytes: number;
  /** A seal is written after this long without a batch (P8). */
  readonly sealIdleMs: number;
}

export interface WalUsage {
  /** Segments named by the manifest, the one prepared ahead among them. */
  readonly segments: number;
  readonly bytes: number;
  readonly batches: number;
  readonly syncs: number;
  /** Batches with their padding; zero-filling is not counted. */
  readonly bytesWritten: number;
}

/** At most this many batches may be appended and not yet done: more is a bug of the host. */
export const walAppendsInFlightMax = 65_536;

export interface WalApi {
  /**
   * Appends one batch, first in first out. `done` comes in the order of the calls and never inside
   * one: after a returned fdatasync that covers the batch, or, when `mustSync` is false, once it
   * is written. The hard state never goes back; `firstIndex` is at most one above the last index
   * and above the commit index of the batch before. Commit is at most the last index; only a batch
   * without entries may know more already, when a snapshot is about to be marked. While entries are
   * lost, they are filled in by index, and what stands behind them stays (gapped-log.ts).
   */
  append(batch: WalAppend, done: () => void): void;
  readonly appendsInFlight: number;

  /** P8: this batch and all before it are covered by an fdatasync issued after their write. */
  readonly durableSeq: number;
  /** Copies `durableSeq` into the second file; every checkpoint asks for it (P8). */
  copyDurableSeq(done: () => void): void;

  /** Index and term of the newest entry written (or of the mark, when nothing follows it). */
  readonly lastIndex: Index;
  readonly lastTerm: Term;
  /** Up to here no entry is lost: the last index, unless recovery has found some lost. */
  readonly denseIndex: Index;

  /**
   * P9: written and synced before the manifest names the checkpoint. The log restarts at
   * `mark.index`, unless it is kept. Batches with entries may follow only once the manifest names the checkpoint;
   * batches without (a vote, a session) may come between.
   */
  snapshotMark(mark: WalMark, done: () => void): void;

  /** Idle seals and pacing of the segment prepared ahead; once a tick of the host. */
  tick(nowMs: number): void;

  /**
   * Entries at or below `index`, which must be at or below the checkpoint in force, are no longer
   * needed: whole segments go, the manifest first, then the files. `done` when the manifest is
   * durable (at once, but not inside the call, if nothing goes).
   */
  dropBelow(index: Index, done?: () => void): void;

  /** The newest record of each raft id, in no order. */
  peers(): readonly PeerRecord[];
  peer(raftId: NodeId): PeerRecord | null;

  /** Durable, and whole as far as is known: for scrubbing. One that is dropped is in no later list. */
  sealedSegments(): readonly SealedSegment[];
  usage(): WalUsage;
  /** Waits for what is in flight, seals, closes the files. Nothing may be called afterwards. */
  close(done: () => void): void;
}

/** What a segment of the log holds that nothing more is written to. */
export interface SealedSegment {
  readonly nonce: number;
  readonly bytes: number;
  readonly path: string;
  readonly firstSeq: number;
  readonly lastSeq: number;
}

export interface WalRecovery {
  /** Where segments and the second file live. */
  readonly directory: string;
  /** 16 hex digits. */
  readonly clusterId: string;
  readonly raftId: NodeId;
  /** Of this start: above that of every batch on disk. */
  readonly bootCount: number;
  readonly manifest: ManifestApi;
  /** The checkpoint in force, verified; null before the first one. */
  readonly checkpoint: CheckpointEntry | null;
  /** Its files cannot be read (§3.3 row 14): a log with lost entries is refused then. */
  readonly stateLost: boolean;
  readonly options: WalOptions;
}

/** What the log gave back. The WAL keeps none of it. */
export interface RecoveredLog {
  /** Commit is at least the checkpoint's index and at most the last index, or what was promised. */
  readonly hardState: HardState;
  /** Dense from `startIndex` + 1; views of buffers that nobody else uses. */
  readonly entries: readonly Entry[];
  /** At most the checkpoint's index; 0 without one. */
  readonly startIndex: Index;
  readonly startTerm: Term;
  /** End of the log, when entries below it are lost; null: none is. */
  readonly promised: LogPoint | null;
  /** Known entries above the first lost one, ascending; empty when none is lost. */
  readonly behind: readonly Entry[];
  /** Names of lost entries, each right before one of those. */
  readonly names: readonly LogPoint[];
  readonly peers: readonly PeerRecord[];
  /** Zeroed behind the last good batch: a torn tail (§3.3 row 2), or an earlier use of the file. */
  readonly zeroedBytes: number;
}

/** `done` comes after the boot batch is durable: from then on promises may be made (P8). */
export type RecoverWal = (
  env: Env,
  recovery: WalRecovery,
  done: (
    outcome:
      | { readonly ok: true; readonly wal: WalApi; readonly recovered: RecoveredLog }
      | Refusal,
  ) => void,
) => void;
