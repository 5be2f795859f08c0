// The one face of the state machine that the host sees: class KvState (kv-state.ts) implements it.
// Deterministic: equal entries in equal order give equal state, replies and digests; no clock, no
// configuration, no randomness enters apply (raft-lessons 50).
import type { Alarm } from "./alarm/alarm.ts";
import type { AuthView } from "./auth/auth-view.ts";
import type { Identity } from "./auth/identity.ts";
import type { KvError } from "./kv-error.ts";
import type { Lease } from "./lease/lease.ts";
import type { LeaseId } from "./lease/lease-id.ts";
import type { LeaseView } from "./lease/lease-view.ts";
import type { OperationKind } from "./operation.ts";
import type { RowRef, RowStore, ScannedRow } from "./rows.ts";
import type { ReplicatedTable, TableRecord } from "./table.ts";
import type { Watches } from "./watch/watches.ts";

export interface KvOptions {
  readonly rows: RowStore;
  /** For response headers. */
  readonly clusterId: bigint;
  readonly memberId: bigint;
  /** etcd's --max-txn-ops, checked before proposing, never in apply. */
  readonly txnOpsMax: number;
  /** Largest answer of a Range. */
  readonly rangeBytesMax: number;
}

/** The outcome of an applied operation or a read: an error, or the encoded response. */
export interface KvReply {
  /**
   * An operation with an error has changed nothing, with one exception: ResponseTooLarge of an
   * applied operation says that it was done and only its answer (previous values, ranges of a
   * transaction) was given up.
   */
  readonly error: KvError;
  /** Null on error, and when no reply was asked for. */
  readonly bytes: Uint8Array | null;
}

/** A committed entry as apply sees it. */
export interface AppliedOperation {
  readonly kind: OperationKind;
  readonly level: number;
  readonly index: number;
  readonly term: number;
  readonly wallMs: number;
  /** As made by `KvApi.envelope`. */
  readonly payload: Uint8Array;
}

export interface Digest {
  readonly low: number;
  readonly high: number;
}

/** A Range that is answered in slices; to be driven to its end, or abandoned. */
export interface RangeTask {
  /** True: it has ended. */
  step(rowsMax: number): boolean;
  abandon(): void;
  readonly error: KvError;
  /** The answer, when it has ended without an error. */
  readonly bytes: Uint8Array | null;
  /** The state that it read is gone; there is no answer. */
  readonly stale: boolean;
}

export interface KvApi {
  /** Registers a replicated table; before anything applies. */
  register(table: ReplicatedTable): void;

  // At the edge, on any member, before anything is proposed or read.
  /** Checks request bytes by every rule that does not depend on state. */
  check(kind: OperationKind, request: Uint8Array): KvError;
  /** True for a transaction without writes: it skips the log and is served by `readTxn`. */
  isReadOnlyTxn(request: Uint8Array): boolean;
  /** The payload of an entry: who asks, then the request bytes unchanged. */
  envelope(user: string, authRevision: number, request: Uint8Array): Uint8Array;

  // Reads of the present state; `term` goes into the response header. By nobody, unless it is said
  // who asks; whether that one may read it is decided here.
  range(request: Uint8Array, term: number, identity?: Identity): KvReply;
  readTxn(request: Uint8Array, term: number, identity?: Identity): KvReply;
  /** In slices, when it has more than `rowsAtOnce` keys; null: ask `range`. */
  largeRange(
    request: Uint8Array,
    term: number,
    identity: Identity,
    rowsAtOnce: number,
  ): RangeTask | null;

  /**
   * Applies one operation. `wantReply`: encode the response (only the member that asked needs it),
   * with `headerTerm` in its header.
   */
  apply(operation: AppliedOperation, wantReply: boolean, headerTerm: number): KvReply;
  /** An entry that is not an operation (empty, configuration, level) moves the apply digest only. */
  skip(index: number, term: number): void;
  /**
   * The entry with which a recovery ends: the revision goes up by `revisions`, and all before it is
   * compacted, so that whoever has seen revisions that are lost begins anew.
   */
  recovered(index: number, term: number, revisions: number): void;

  /** Who watches on this member; no part of the replicated state. */
  readonly watches: Watches;

  readonly revision: number;
  /** -1 before any compaction, as in etcd. */
  readonly compactRevision: number;
  /** Keys alive, and the bytes of their newest keys and values. */
  readonly keys: number;
  readonly liveBytes: number;
  readonly puts: number;
  readonly deletes: number;
  /** Active ones, sorted by kind and member. */
  readonly alarms: readonly Alarm[];
  /** A version like "3.4.0", or empty. */
  readonly downgradeTarget: string;
  readonly leases: LeaseView;
  /** Attached to it now, in order of their bytes. */
  leaseKeys(lease: Lease): readonly Uint8Array[];
  /** Field 1 of every response, encoded, as of now: for answers that are not made by apply. */
  responseHeader(term: number): Uint8Array;
  readonly auth: AuthView;
  /** Renew or revoke this lease. */
  mayKeepLease(identity: Identity, id: LeaseId): KvError;
  /** Of the newest live rows and the tables (DESIGN.md 14); compaction does not change it. */
  liveDigest(): Digest;
  /** Chain over (index, entry, resulting revision). */
  applyDigest(): Digest;

  /** Compaction of the key index goes on in slices: drops at most `versionsMax`; true when idle. */
  compactStep(versionsMax: number): boolean;
  /**
   * The row store has been told of every row that compaction has made unreachable, but for tombstones:
   * of the others up to `compactRevision`, each that it does not know to be dead holds its key there.
   */
  readonly compacted: boolean;
  /**
   * etcd's HashKV over rows with main ≤ revision (0: current); in slices. Until it is done
   * compactStep drops nothing (and says that it is idle), so a task must be driven to its end.
   */
  hashKv(revision: number): HashKvTask | KvError;

  /** The tables' sections of a checkpoint, the state machine's own among them; deterministic. */
  tables(): TableRecord[];
  /**
   * Start, or an installed snapshot: forget everything, take over the tables; then every row of
   * the checkpoint in revision order, then finish. Rows that compaction has made unreachable are
   * reported dead to the store on the way.
   */
  beginRebuild(records: readonly TableRecord[]): boolean;
  rebuildRow(row: ScannedRow, ref: RowRef): void;
  /** False when the live digest of the scan differs from the checkpoint's: damage. */
  finishRebuild(): boolean;
}

export interface HashKvTask {
  /** Hashes at most `rowsMax` rows; true when done. */
  step(rowsMax: number): boolean;
  /**
   * Once done: None, or why there is no hash after all. (A rebuild in between begins the task anew,
   * and the revision may no longer, or not yet, be there.)
   */
  readonly error: KvError;
  readonly hash: number;
  readonly compactRevision: number;
  readonly hashRevision: number;
}
