// The replicated state machine as the host sees it (kv-api.ts): the MVCC store, the registered
// tables, apply, reads, digests, checkpoints. Deterministic: no clock, no randomness, and in apply
// no setting of this member.
import { assert } from "@quorate/base";
import type { Alarm } from "./alarm/alarm.ts";
import { AlarmTable } from "./alarm/alarm-table.ts";
import { refusalOf } from "./alarm/restrictions.ts";
import { AuthGate } from "./auth/auth-gate.ts";
import { AuthTable } from "./auth/auth-table.ts";
import type { AuthView } from "./auth/auth-view.ts";
import { nobody } from "./auth/identity.ts";
import type { Identity } from "./auth/identity.ts";
import { Hasher } from "./digest.ts";
import { DowngradeTable } from "./downgrade/downgrade-table.ts";
import { checkOperation, checkRange } from "./edge-check.ts";
import { decodeEnvelope, EnvelopeWriter } from "./envelope.ts";
import type {
  AppliedOperation,
  Digest,
  HashKvTask,
  KvApi,
  KvOptions,
  KvReply,
  RangeTask,
} from "./kv-api.ts";
import { KvError } from "./kv-error.ts";
import type { Lease } from "./lease/lease.ts";
import { leaseIdOf } from "./lease/lease-id.ts";
import type { LeaseId } from "./lease/lease-id.ts";
import { LeaseTable } from "./lease/lease-table.ts";
import { liveDigestOf } from "./live-digest-of.ts";
import { beginHashKv } from "./mvcc/hash-kv.ts";
import { range } from "./mvcc/range.ts";
import { beginRange } from "./mvcc/range-task.ts";
import { MvccStore } from "./mvcc/store.ts";
import { operationHandlers, readTxn } from "./operation-handlers.ts";
import type { OperationHandler, ReplicatedState } from "./operation-handler.ts";
import type { OperationKind } from "./operation.ts";
import { failedReply, ReplyBuilder, silentReply } from "./reply.ts";
import type { RowRef, ScannedRow } from "./rows.ts";
import { decodeStateRecord, encodeStateRecord, stateRecordName } from "./state-record.ts";
import type { StateRecord } from "./state-record.ts";
import { TableRecord } from "./table.ts";
import type { ReplicatedTable } from "./table.ts";
import { isReadOnly, TxnRun } from "./txn/txn.ts";
import { WatchHub } from "./watch/watch-hub.ts";
import { decodeRangeRequest, decodeTxnRequest } from "./wire/decode-request.ts";
import { encodeHeaderIds, writeHeader } from "./wire/encode-response.ts";

const PURPOSE_APPLY = 2;
const PURPOSE_SKIP = 3;
const PURPOSE_RECOVERED = 5;

/** The state before the first entry. */
const genesisRecord: StateRecord = {
  appliedIndex: 0,
  store: {
    revision: 1,
    compactRevision: -1,
    hlc: 0,
    keys: 0,
    liveBytes: 0,
    puts: 0,
    deletes: 0,
    digestLow: 0,
    digestHigh: 0,
  },
  applyLow: 0,
  applyHigh: 0,
  liveLow: 0,
  liveHigh: 0,
};

export class KvState implements KvApi {
  readonly #options: KvOptions;
  readonly #store: MvccStore;
  readonly #alarms: AlarmTable;
  readonly leases: LeaseTable;
  readonly #auth: AuthTable;
  readonly #downgrade: DowngradeTable;
  readonly #gate: AuthGate;
  readonly #tables: ReplicatedTable[];
  /** What handlers see. */
  readonly #state: ReplicatedState;
  readonly #reply: ReplyBuilder;
  readonly #hasher: Hasher;
  readonly #envelopes: EnvelopeWriter;
  readonly watches: WatchHub;
  #appliedIndex: number;
  #applyLow: number;
  #applyHigh: number;

  constructor(options: KvOptions) {
    this.#options = options;
    this.leases = new LeaseTable();
    this.#store = new MvccStore(options.rows, this.leases);
    this.#alarms = new AlarmTable();
    this.#auth = new AuthTable();
    this.#downgrade = new DowngradeTable();
    this.#gate = new AuthGate(this.#auth, (high, low) => this.#keysOfLease(high, low));
    this.#tables = [this.#alarms, this.leases, this.#auth, this.#downgrade];
    this.#state = {
      store: this.#store,
      alarms: this.#alarms,
      leases: this.leases,
      auth: this.#auth,
      downgrade: this.#downgrade,
    };
    const ids = encodeHeaderIds(options.clusterId, options.memberId);
    this.#reply = new ReplyBuilder(ids, options.rangeBytesMax);
    this.#hasher = new Hasher();
    this.#envelopes = new EnvelopeWriter();
    this.watches = new WatchHub(this.#store);
    this.#appliedIndex = 0;
    this.#applyLow = 0;
    this.#applyHigh = 0;
  }

  register(table: ReplicatedTable): void {
    assert(this.#appliedIndex === 0, "KvState.register: entries have been applied");
    const taken = (known: ReplicatedTable): boolean => known.name === table.name;
    assert(table.name !== stateRecordName, "KvState.register: the name is the state machine's own");
    assert(!this.#tables.some(taken), "KvState.register: the name is taken");
    this.#tables.push(table);
  }

  get revision(): number {
    return this.#store.revision;
  }

  get compactRevision(): number {
    return this.#store.compactRevision;
  }

  get keys(): number {
    return this.#store.keys;
  }

  get liveBytes(): number {
    return this.#store.liveBytes;
  }

  get puts(): number {
    return this.#store.puts;
  }

  get deletes(): number {
    return this.#store.deletes;
  }

  get alarms(): readonly Alarm[] {
    return this.#alarms.alarms;
  }

  get downgradeTarget(): string {
    return this.#downgrade.target;
  }

  leaseKeys(lease: Lease): readonly Uint8Array[] {
    return this.#store.attachedKeys(lease);
  }

  /** For the gate: as the key index has them. */
  #keysOfLease(high: number, low: number): string[] {
    const lease = this.leases.get(leaseIdOf(high, low));
    if (lease === null) return [];
    return [...lease.slots].map((slot) => this.#store.index.slots.key(slot));
  }

  get auth(): AuthView {
    return this.#auth;
  }

  mayKeepLease(identity: Identity, id: LeaseId): KvError {
    return this.#gate.mayKeep(identity, id);
  }

  // ---- The edge -----------------------------------------------------------------------------------

  check(kind: OperationKind, request: Uint8Array): KvError {
    return checkOperation(kind, request, this.#options.txnOpsMax);
  }

  isReadOnlyTxn(request: Uint8Array): boolean {
    const txn = decodeTxnRequest(request, 0, this.#options.txnOpsMax);
    return txn !== null && isReadOnly(txn);
  }

  envelope(user: string, authRevision: number, request: Uint8Array): Uint8Array {
    return this.#envelopes.write(user, authRevision, request);
  }

  responseHeader(term: number): Uint8Array {
    const reply = this.#reply;
    reply.begin(term);
    writeHeader(reply.body, reply, this.#store.revision);
    return reply.finish().bytes!;
  }

  // ---- Reads --------------------------------------------------------------------------------------

  range(request: Uint8Array, term: number, identity: Identity = nobody): KvReply {
    const decoded = decodeRangeRequest(request);
    if (decoded === null) return failedReply(KvError.Malformed);
    let refusal = checkRange(decoded);
    if (refusal === KvError.None) {
      refusal = this.#auth.mayRange(identity, decoded.key, decoded.rangeEnd);
    }
    if (refusal !== KvError.None) return failedReply(refusal);
    const reply = this.#reply;
    reply.begin(term);
    const error = range(this.#store, decoded, reply, reply.body, reply.bytesMax);
    return error === KvError.None ? reply.finish() : failedReply(error);
  }

  largeRange(
    request: Uint8Array,
    term: number,
    identity: Identity,
    rowsAtOnce: number,
  ): RangeTask | null {
    const decoded = decodeRangeRequest(request);
    if (decoded === null || checkRange(decoded) !== KvError.None) return null;
    const { key, rangeEnd } = decoded;
    const auth = this.#auth;
    const mayRange = (): KvError => auth.mayRange(identity, key, rangeEnd);
    const { revision } = auth;
    if (mayRange() !== KvError.None) return null;
    return beginRange(this.#store, decoded, rowsAtOnce, {
      header: { ids: this.#reply.ids, term },
      bytesMax: this.#options.rangeBytesMax,
      recheck: () => (auth.revision === revision ? KvError.None : mayRange()),
    });
  }

  readTxn(request: Uint8Array, term: number, identity: Identity = nobody): KvReply {
    const txn = decodeTxnRequest(request, 0, this.#options.txnOpsMax);
    if (txn === null) return failedReply(KvError.Malformed);
    assert(isReadOnly(txn), "KvState.readTxn: the transaction writes");
    const refusal = this.#gate.mayRunTxn(identity, txn);
    if (refusal !== KvError.None) return failedReply(refusal);
    const reply = this.#reply;
    reply.begin(term);
    const error = readTxn(this.#store, new TxnRun(this.#store, txn), reply);
    return error === KvError.None ? reply.finish() : failedReply(error);
  }

  // ---- Apply --------------------------------------------------------------------------------------

  apply(operation: AppliedOperation, wantReply: boolean, headerTerm: number): KvReply {
    this.#advance(operation.index);
    const reply = wantReply ? this.#reply : null;
    reply?.begin(headerTerm);
    const error = this.#run(operation, reply);
    const hasher = this.#hasher;
    hasher.reset(PURPOSE_APPLY);
    this.#chain(operation.index, operation.term);
    hasher.word(operation.kind);
    hasher.word(operation.level);
    hasher.number(operation.wallMs);
    hasher.bytes(operation.payload);
    this.#link();
    if (error !== KvError.None) return failedReply(error);
    return reply === null ? silentReply : reply.finish();
  }

  skip(index: number, term: number): void {
    this.#advance(index);
    this.#hasher.reset(PURPOSE_SKIP);
    this.#chain(index, term);
    this.#link();
  }

  recovered(index: number, term: number, revisions: number): void {
    this.#advance(index);
    this.#store.raise(revisions);
    this.leases.rearm();
    this.#hasher.reset(PURPOSE_RECOVERED);
    this.#chain(index, term);
    this.#link();
  }

  #run(operation: AppliedOperation, reply: ReplyBuilder | null): KvError {
    const { payload, wallMs } = operation;
    const envelope = decodeEnvelope(payload);
    if (envelope === null) return KvError.Malformed;
    const handler: OperationHandler | undefined = operationHandlers[operation.kind];
    // A binary that meets a kind above its level has stopped before (P11).
    assert(handler !== undefined, "KvState.apply: unknown kind of operation");
    const { requestAt } = envelope;
    const refusal = refusalOf(this.#alarms, operation.kind, payload, requestAt);
    if (refusal !== KvError.None) return refusal;
    const denial = this.#gate.mayApply(operation.kind, envelope.identity, payload, requestAt);
    if (denial !== KvError.None) return denial;
    return handler(this.#state, payload, requestAt, wallMs, reply, operation);
  }

  #advance(index: number): void {
    assert(index > this.#appliedIndex, "KvState: an entry came twice or out of order");
    this.#appliedIndex = index;
  }

  #chain(index: number, term: number): void {
    this.#hasher.word(this.#applyLow);
    this.#hasher.word(this.#applyHigh);
    this.#hasher.number(index);
    this.#hasher.number(term);
  }

  #link(): void {
    this.#hasher.number(this.#store.revision);
    this.#hasher.finish();
    this.#applyLow = this.#hasher.low;
    this.#applyHigh = this.#hasher.high;
  }

  // ---- Digests, compaction --------------------------------------------------------------------------

  liveDigest(): Digest {
    const { revision, hlc, digest } = this.#store;
    const numbers = { revision, hlc, digestLow: digest.low, digestHigh: digest.high };
    return liveDigestOf(this.#hasher, numbers, this.#tables);
  }

  applyDigest(): Digest {
    return { low: this.#applyLow, high: this.#applyHigh };
  }

  compactStep(versionsMax: number): boolean {
    return this.#store.compactStep(versionsMax);
  }

  get compacted(): boolean {
    return this.#store.compacted;
  }

  hashKv(revision: number): HashKvTask | KvError {
    return beginHashKv(this.#store, revision);
  }

  // ---- Checkpoints ----------------------------------------------------------------------------------

  tables(): TableRecord[] {
    const live = this.liveDigest();
    const record = encodeStateRecord({
      appliedIndex: this.#appliedIndex,
      store: this.#store.numbers(),
      applyLow: this.#applyLow,
      applyHigh: this.#applyHigh,
      liveLow: live.low,
      liveHigh: live.high,
    });
    const records = [new TableRecord(stateRecordName, record)];
    for (const table of this.#tables) records.push(new TableRecord(table.name, table.snapshot()));
    return records;
  }

  beginRebuild(records: readonly TableRecord[]): boolean {
    const own = records.find((record) => record.name === stateRecordName);
    // Without any record: the state before the first entry.
    if (own === undefined && records.length > 0) return false;
    const state = own === undefined ? genesisRecord : decodeStateRecord(own.bytes);
    if (state === null || !this.#restoreTables(records)) return false;
    this.#store.beginRebuild(state.store);
    this.#appliedIndex = state.appliedIndex;
    this.#applyLow = state.applyLow;
    this.#applyHigh = state.applyHigh;
    if (own === undefined) return true;
    const live = liveDigestOf(this.#hasher, state.store, this.#tables);
    return live.low === state.liveLow && live.high === state.liveHigh;
  }

  // A table without a record is younger than the checkpoint; a record without a table is of
  // something that this binary does not know, and may not be dropped.
  #restoreTables(records: readonly TableRecord[]): boolean {
    let restored = 0;
    for (const table of this.#tables) {
      const record = records.find((candidate) => candidate.name === table.name);
      if (record === undefined) {
        table.clear();
      } else {
        if (!table.restore(record.bytes)) return false;
        restored++;
      }
    }
    return restored === Math.max(0, records.length - 1);
  }

  rebuildRow(row: ScannedRow, ref: RowRef): void {
    this.#store.rebuildRow(row, ref);
  }

  finishRebuild(): boolean {
    return this.#store.finishRebuild();
  }
}
