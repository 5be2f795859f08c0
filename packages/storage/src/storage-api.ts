// What the host sees of a member's disk. Two steps: openDirectory (lock, format, identity, boot
// count; before genesis nothing else exists), then openStorage (WAL, rows, checkpoint, recovery).
// A failed write or fsync ends the process (71), damage ends it (72): completions carry no error.
import type { Row, RowRef, RowStore, ScannedRow, TableRecord } from "@quorate/kv";
import type { Entry, HardState, Index, LogPoint, NodeId, Session, Term } from "@quorate/raft";
import type { Env, ExitCode } from "./env.ts";
import type { ScrubFinding } from "./scrub/scrub-api.ts";

export interface Refusal {
  readonly ok: false;
  readonly exitCode: ExitCode;
  /** One line for the operator: file, offset, index, what to do. */
  readonly reason: string;
  /**
   * The directory cannot know what it has promised, and nothing but that is wrong: a member with peers
   * sets it aside and rejoins (P3). Null or absent: it must not.
   */
  readonly rejoins?: LastKnown | null;
}

/** What such a directory still says of the others. */
export interface LastKnown {
  /** Of the checkpoint in force; empty when that is not known. */
  readonly tables: readonly TableRecord[];
  /** Other raft ids that have spoken to it, as far as it can be read. */
  readonly peers: number;
}

// ---- The directory and who it belongs to ---------------------------------------------------------

export interface DirectoryOptions {
  readonly directory: string;
  /** Separate WAL directory (etcd's --wal-dir), or null: inside `directory`. */
  readonly walDirectory: string | null;
  /** etcd's 64-bit ids as 16 hex digits; a directory of others is refused (75). */
  readonly clusterId: string;
  readonly memberId: string;
  /** Highest feature level this binary understands; a directory with a higher one is refused (75). */
  readonly levelMax: number;
  /** Made anew by a recovery: from then on its ids are its own, whatever flags say. */
  readonly recovered?: boolean;
  /**
   * The cluster has just said under which ids it joins: a directory that was opened to join under
   * others, and got no further, is taken over, with a raft id of its own.
   */
  readonly joins?: boolean;
}

/** Where a directory stands between empty and member of a cluster (P1). On disk: never reuse. */
export const GenesisState = {
  /** Raft id drawn and synced, nothing held. */
  None: 0,
  /** An offer is held; not started. */
  Held: 1,
  /** The genesis is started: Raft may run. */
  Started: 2,
  /**
   * The started genesis names this member under another raft id: its disk was lost, and it asks to
   * rejoin under the one that is durable here (P3).
   */
  Wiped: 3,
  /** Takes part in a started genesis that does not name this raft id: it joined later. */
  Joined: 4,
} as const;
export type GenesisState = (typeof GenesisState)[keyof typeof GenesisState];

/** Raft may run on the directory. */
export function mayRunRaft(state: GenesisState): boolean {
  return state !== GenesisState.None && state !== GenesisState.Held;
}

export interface DataDirectory {
  readonly raftId: NodeId;
  /** +1 at every open, durable before openDirectory answers. */
  readonly bootCount: number;
  /** The directory was made by this open. */
  readonly fresh: boolean;
  readonly genesisState: GenesisState;
  /** The host's encoding of the genesis held, started or joined; empty for None. */
  readonly genesis: Uint8Array;
  /** Durable when `done` is called. State never goes back from Started or Joined. */
  writeGenesis(state: GenesisState, genesis: Uint8Array, done: () => void): void;
  /**
   * Peers know a later start of this directory (P4): what it promised since is not in it. Durable when
   * `done` is called; from then on it is refused, and may only be set aside.
   */
  markRegressed(done: () => void): void;
  /**
   * Its cluster was recovered without it: a tombstone that says by what. Durable when `done` is
   * called; from then on it is refused (74).
   */
  markSuperseded(by: string, done: () => void): void;
  /**
   * What is written here is damaged as soon as it is (§3.7). Durable when `done` is called; from then on
   * it is refused (72), or a service manager would have the state sent to it for ever.
   */
  markDiskFails(done: () => void): void;
}

/** A directory that is to be set aside (directory/set-aside.ts). */
export type SetAsideOptions = Pick<DirectoryOptions, "directory" | "walDirectory">;

export type OpenDirectory = (
  env: Env,
  options: DirectoryOptions,
  opened: (outcome: { readonly ok: true; readonly directory: DataDirectory } | Refusal) => void,
) => void;

// ---- Storage -------------------------------------------------------------------------------------

export interface StorageOptions {
  readonly walSegmentBytes: number;
  readonly rowSegmentBytes: number;
  /** Rows appended and not yet written by a checkpoint; past it `rowsFull()` is true. */
  readonly unsavedRowBytesMax: number;
  readonly rowCacheBytesMax: number;
  /** A seal batch is written after this long without writes (P8). */
  readonly sealIdleMs: number;
  /** Bytes that rewriting of half-dead row segments may copy per second. */
  readonly reclaimBytesPerSecond: number;
  /** Everything durable is reread once per so long (Infinity: never), at most so fast. */
  readonly scrubIntervalMs: number;
  readonly scrubBytesPerSecond: number;
  /** Of a snapshot on its way in, so much may have to come again after a crash of this member. */
  readonly stagingRecordBytes: number;
}

/** What this process has accepted of a peer's boots (P4); durable before the session is accepted. */
export class PeerRecord {
  readonly raftId: NodeId;
  readonly bootCount: number;
  readonly session: Session;

  constructor(raftId: NodeId, bootCount: number, session: Session) {
    this.raftId = raftId;
    this.bootCount = bootCount;
    this.session = session;
  }
}

export interface CheckpointInfo {
  /** Random name of this checkpoint's content, equal on every member that installed it. */
  readonly id: number;
  readonly index: Index;
  readonly term: Term;
  readonly tables: readonly TableRecord[];
}

/** A checkpoint that cannot be read: what was promised is known, what was applied is not. */
export interface LostState {
  readonly index: Index;
  readonly term: Term;
  /** Its tables, when they are whole and only rows are damaged. */
  readonly checkpoint: CheckpointInfo | null;
  /** File, offset, what is wrong there. */
  readonly reason: string;
}

/** What the disk gave back, in the order the host needs it. */
export interface Recovered {
  readonly hardState: HardState;
  /** Null: none yet, the log starts at index 1; or `lost`. */
  readonly checkpoint: CheckpointInfo | null;
  /** The checkpoint in force is damaged, the log is not (§3.3 row 14); null: it is not. */
  readonly lost: LostState | null;
  /** Entries above `firstIndex - 1`, dense; may start below the checkpoint (catch-up tail). */
  readonly entries: readonly Entry[];
  /** Index and term of the entry just below `entries[0]` (or of the last one, if there are none). */
  readonly logStartIndex: Index;
  readonly logStartTerm: Term;
  /** The log's true end, when entries below it are lost: what this member acknowledged; null: whole. */
  readonly promised: LogPoint | null;
  /** Known entries above the first lost one, ascending, with gaps; empty when whole. */
  readonly behind: readonly Entry[];
  /** Names of lost entries, each right before one of those: the disk attests what it stood behind. */
  readonly names: readonly LogPoint[];
  readonly peers: readonly PeerRecord[];
}

export interface WalAppend {
  readonly hardState: HardState;
  /** 0 when there are no entries; everything at or above it that was written before is void. */
  readonly firstIndex: Index;
  readonly entries: readonly Entry[];
  readonly peers: readonly PeerRecord[];
  /** False: `done` may come before any fsync (commit-only batches). */
  readonly mustSync: boolean;
}

export interface CheckpointRequest {
  readonly index: Index;
  readonly term: Term;
  readonly tables: readonly TableRecord[];
  /** WAL entries above this stay for followers to catch up with; ≤ index. */
  readonly keepLogFrom: Index;
}

/** A checkpoint held for sending: its files do not change or go until `release`. */
export interface SnapshotSource {
  readonly checkpoint: CheckpointInfo;
  /** Row segments in order, then the tables file; lengths and CRC32C of the whole. */
  readonly files: readonly SnapshotFile[];
  /** Bytes of a file from `offset`; fewer only at its end. Synchronous, from the page cache. */
  readNow(file: number, offset: number, length: number): Uint8Array;
  release(): void;
}

export interface SnapshotFile {
  readonly name: string;
  readonly bytes: number;
  readonly crc: number;
}

/** The rows of one moment, but for those that were dead: held until `release`. */
export interface HeldRows {
  /** From the first row on; several may go on side by side. */
  walk(): RowWalk;
  release(): void;
}

export interface RowWalk {
  /** The next row in revision order; null at the end. After damage nothing more is to be asked. */
  next(): Row | RowsDamaged | null;
}

/** A row that cannot be read, and so what was to be made of all of them. */
export class RowsDamaged {
  /** File, offset, what is wrong there. */
  readonly where: string;

  constructor(where: string) {
    this.where = where;
  }
}

/** A snapshot being received under a staging name; nothing of the present state changes. */
export interface SnapshotSink {
  /** An earlier transfer has brought this file: nothing is written to it. */
  holds(file: number): boolean;
  /** In order of files, then offsets; at most one write at a time. */
  write(file: number, offset: number, bytes: Uint8Array, done: () => void): void;
  /**
   * Checks lengths and CRCs, syncs everything. `ok` false: the bytes do not match `files`; the
   * staged files are removed.
   */
  finish(done: (ok: boolean, checkpoint: CheckpointInfo | null) => void): void;
  /** What has come whole is kept for the next transfer, for a while. */
  abandon(): void;
}

export interface StorageApi {
  readonly rows: RowStore;

  /** Appends one batch. Batches become durable, and `done` is called, in the order of the calls. */
  append(batch: WalAppend, done: () => void): void;
  /** Batches written and not yet reported done. */
  readonly appendsInFlight: number;

  /**
   * Rows of the recovered (or installed) checkpoint in revision order, at most `rowsMax` a call;
   * true when all were visited, or when one is damaged (`damage`). The host feeds them to the state
   * machine. A row is valid in `visit` only.
   */
  scanStep(rowsMax: number, visit: (row: ScannedRow, ref: RowRef) => void): boolean;
  /** Why the rows are not what the checkpoint says: until a snapshot is installed there are none. */
  readonly damage: string | null;

  /** Rows appended so far and the tables become a durable checkpoint. One at a time. */
  checkpoint(request: CheckpointRequest, done: (checkpoint: CheckpointInfo) => void): void;
  readonly checkpointRunning: boolean;
  /** unsavedRowBytesMax reached: proposals must be refused until a checkpoint has run. */
  rowsFull(): boolean;
  readonly unsavedRowBytes: number;

  /** Null before the first checkpoint. */
  pin(): SnapshotSource | null;
  /** All rows that stand here now, saved or not. Null while there are none that are known to be whole. */
  holdRows(): HeldRows | null;
  stage(files: readonly SnapshotFile[], checkpointId: number): SnapshotSink;
  /**
   * Puts a finished sink in force (P9): WAL mark, then manifest. Rows of before are void, and so is the
   * log, unless it holds the very entry at which the snapshot ends (`keepsLog`). Afterwards `scanStep`
   * starts over on the new rows. `done` when all is durable.
   */
  install(
    sink: SnapshotSink,
    hardState: HardState,
    keepsLog: boolean,
    done: (checkpoint: CheckpointInfo) => void,
  ): void;

  /**
   * Idle seals, reclaiming of dead rows, removal of old WAL segments, scrubbing: once a tick. `busy`:
   * requests wait, what has no hurry is to stand still.
   */
  tick(busy: boolean): void;
  /** What rereading finds from now on: scrubbing, and what is read for a snapshot. */
  onScrubFinding(found: (finding: ScrubFinding) => void): void;
  /** A pass is under way. */
  readonly scrubbing: boolean;
  /** For metrics and `quorate status`. */
  usage(): StorageUsage;
  /** Finishes what is in flight, writes a seal. The lock stays until the process ends. */
  close(done: () => void): void;
}

export interface StorageUsage {
  readonly walBytes: number;
  readonly rowBytes: number;
  readonly rowBytesLive: number;
  readonly rowSegments: number;
  readonly walSegments: number;
  readonly syncs: number;
  readonly bytesWritten: number;
  /** Reread by scrubbing. */
  readonly scrubbedBytes: number;
}

export type OpenStorage = (
  env: Env,
  directory: DataDirectory,
  options: StorageOptions,
  opened: (
    outcome:
      | { readonly ok: true; readonly storage: StorageApi; readonly recovered: Recovered }
      | Refusal,
  ) => void,
) => void;

export const storageDefaults: StorageOptions = {
  walSegmentBytes: 67_108_864,
  rowSegmentBytes: 67_108_864,
  unsavedRowBytesMax: 67_108_864,
  rowCacheBytesMax: 67_108_864,
  sealIdleMs: 50,
  reclaimBytesPerSecond: 33_554_432,
  scrubIntervalMs: 86_400_000,
  scrubBytesPerSecond: 8_388_608,
  stagingRecordBytes: 16_777_216,
};
