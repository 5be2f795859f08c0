// The naive twin of the state machine, for property tests: all rows in one list, every question
// answered by looking through it. Written from etcd's rules, not from the code beside it; slow,
// and meant to be read. Speaks in decoded responses; ids and terms in headers are left 0.
import { compareBytes, emptyBytes, equalBytes, latin1Decode, latin1Encode } from "@quorate/base";
import { KvError } from "./kv-error.ts";
import { leaseIdHigh, leaseIdLow, leaseIdOf, leaseIdText, noLease } from "./lease/lease-id.ts";
import { OperationKind } from "./operation.ts";
import { LeaseGrant, LeaseRevoke } from "./test/requests.ts";
import type { Content } from "./test/requests.ts";
import {
  CompactionRequest,
  CompareOperand,
  CompareResult,
  CompareTarget,
  DeleteRangeRequest,
  OpType,
  PutRequest,
  RangeRequest,
  SortOrder,
  SortTarget,
  TxnRequest,
} from "./wire/request.ts";
import type { Compare, RequestOp } from "./wire/request.ts";
import type {
  CompactionResponse,
  DeleteRangeResponse,
  KeyValue,
  PutResponse,
  RangeResponse,
  ResponseHeader,
  ResponseOp,
  TxnResponse,
} from "./wire/response.ts";

export type ModelResponse =
  | RangeResponse
  | PutResponse
  | DeleteRangeResponse
  | TxnResponse
  | CompactionResponse
  | ModelLeaseResponse;
/** Of a grant; of a revoke nothing but the header. */
export interface ModelLeaseResponse {
  readonly header: ResponseHeader;
  readonly lease: string;
  readonly ttlSeconds: number;
}
export type ModelReply = { readonly error: KvError } | ModelResponse;

/** A row: a put with its key-value, or a tombstone. */
export interface ModelRow {
  readonly main: number;
  readonly key: string;
  readonly kv: KeyValue | null;
}

export const modelKindOf = (content: Content): OperationKind | null => {
  if (content instanceof PutRequest) return OperationKind.Put;
  if (content instanceof DeleteRangeRequest) return OperationKind.DeleteRange;
  if (content instanceof TxnRequest) return OperationKind.Txn;
  if (content instanceof LeaseGrant) return OperationKind.LeaseGrant;
  if (content instanceof LeaseRevoke) return OperationKind.LeaseRevoke;
  return content instanceof CompactionRequest ? OperationKind.Compact : null;
};

const headerAt = (revision: number): ResponseHeader => ({
  clusterId: 0n,
  memberId: 0n,
  revision,
  raftTerm: 0,
});

export class KvModel {
  readonly rows: ModelRow[];
  readonly txnOpsMax: number;
  revision: number;
  compactRevision: number;
  /** Hexadecimal ids. */
  readonly leases: Set<string>;
  /** Rows of the transaction that runs, already in `rows`. */
  #changes: number;

  constructor(txnOpsMax: number) {
    this.rows = [];
    this.txnOpsMax = txnOpsMax;
    this.revision = 1;
    this.compactRevision = -1;
    this.leases = new Set();
    this.#changes = 0;
  }

  handle(content: Content): ModelReply {
    if (content instanceof LeaseGrant) return this.#grant(content);
    if (content instanceof LeaseRevoke) return this.#revoke(content);
    const error = this.#check(content);
    if (error !== KvError.None) return { error };
    if (content instanceof CompactionRequest) return this.#compact(content);
    if (content instanceof RangeRequest) return this.#rangeAlone(content);
    if (content instanceof PutRequest) {
      if (!this.#leaseExists(content)) return { error: KvError.LeaseNotFound };
      const missing = this.#checkPrevious(content);
      if (missing !== KvError.None) return { error: missing };
    }
    const response = content instanceof TxnRequest ? this.#txn(content) : this.#write(content);
    if (this.#changes > 0) this.revision++;
    this.#changes = 0;
    return response;
  }

  /** The newest row of each key with main ≤ revision, without tombstones, in order of keys. */
  liveAt(revision: number): KeyValue[] {
    const newest = new Map<string, KeyValue | null>();
    for (const row of this.rows) if (row.main <= revision) newest.set(row.key, row.kv);
    const live = [...newest.values()].filter((kv) => kv !== null);
    return live.sort((a, b) => compareBytes(a.key, b.key));
  }

  /** Is the row, by its number, still needed after the compaction so far? */
  isReachable(at: number): boolean {
    const row = this.rows[at]!;
    if (row.main > this.compactRevision) return true;
    return row.kv !== null && this.liveAt(this.compactRevision).includes(row.kv);
  }

  get now(): number {
    return this.#changes > 0 ? this.revision + 1 : this.revision;
  }

  // ---- Operations ---------------------------------------------------------------------------------

  #between(key: Uint8Array, end: Uint8Array, revision: number): KeyValue[] {
    const live = this.liveAt(revision);
    if (end.length === 0) return live.filter((kv) => equalBytes(kv.key, key));
    const endless = equalBytes(end, Uint8Array.of(0));
    return live.filter(
      (kv) => compareBytes(kv.key, key) >= 0 && (endless || compareBytes(kv.key, end) < 0),
    );
  }

  #rangeAlone(request: RangeRequest): ModelReply {
    if (request.revision > this.now) return { error: KvError.FutureRevision };
    const revision = request.revision <= 0 ? this.now : request.revision;
    if (revision < this.compactRevision) return { error: KvError.Compacted };
    return this.#range(request);
  }

  #range(request: RangeRequest): RangeResponse {
    const revision = request.revision <= 0 ? this.now : request.revision;
    let kvs = this.#between(request.key, request.rangeEnd, revision);
    const count = kvs.length;
    const header = headerAt(this.now);
    if (request.countOnly) return { type: OpType.Range, header, kvs: [], more: false, count };
    const { minModRevision, maxModRevision, minCreateRevision, maxCreateRevision } = request;
    const bounded = [minModRevision, maxModRevision, minCreateRevision, maxCreateRevision].some(
      (n) => n !== 0,
    );
    // etcd's oddity: without an order and without bounds, only limit + 1 rows are ever looked at.
    if (request.sortOrder === SortOrder.None && !bounded && request.limit > 0) {
      kvs = kvs.slice(0, request.limit + 1);
    }
    kvs = kvs
      .filter((kv) => maxModRevision === 0 || kv.modRevision <= maxModRevision)
      .filter((kv) => minModRevision === 0 || kv.modRevision >= minModRevision)
      .filter((kv) => maxCreateRevision === 0 || kv.createRevision <= maxCreateRevision)
      .filter((kv) => minCreateRevision === 0 || kv.createRevision >= minCreateRevision);
    kvs = sorted(kvs, request.sortTarget, request.sortOrder);
    const more = request.limit > 0 && kvs.length > request.limit;
    if (more) kvs = kvs.slice(0, request.limit);
    if (request.keysOnly) kvs = kvs.map((kv) => ({ ...kv, value: emptyBytes }));
    return { type: OpType.Range, header, kvs, more, count };
  }

  #write(request: PutRequest | DeleteRangeRequest): PutResponse | DeleteRangeResponse {
    return request instanceof PutRequest ? this.#put(request) : this.#delete(request);
  }

  #put(request: PutRequest): PutResponse {
    const previous = this.#between(request.key, emptyBytes, this.now)[0] ?? null;
    const main = this.revision + 1;
    const kv: KeyValue = {
      key: request.key,
      createRevision: previous?.createRevision ?? main,
      modRevision: main,
      version: (previous?.version ?? 0) + 1,
      value: request.ignoreValue ? previous!.value : request.value,
      leaseHigh: request.ignoreLease ? previous!.leaseHigh : request.leaseHigh,
      leaseLow: request.ignoreLease ? previous!.leaseLow : request.leaseLow,
    };
    this.rows.push({ main, key: latin1Decode(request.key), kv });
    this.#changes++;
    return {
      type: OpType.Put,
      header: headerAt(main),
      prevKv: request.prevKv ? previous : null,
    };
  }

  #delete(request: DeleteRangeRequest): DeleteRangeResponse {
    const found = this.#between(request.key, request.rangeEnd, this.now);
    for (const { key } of found) {
      this.rows.push({ main: this.revision + 1, key: latin1Decode(key), kv: null });
      this.#changes++;
    }
    return {
      type: OpType.DeleteRange,
      header: headerAt(this.now),
      deleted: found.length,
      prevKvs: request.prevKv ? found : [],
    };
  }

  #compact(request: CompactionRequest): ModelReply {
    if (request.revision <= this.compactRevision) return { error: KvError.Compacted };
    if (request.revision > this.revision) return { error: KvError.FutureRevision };
    this.compactRevision = request.revision;
    return { header: headerAt(this.revision) };
  }

  // ---- Leases -----

  #grant({ id, ttlSeconds }: LeaseGrant): ModelReply {
    const lease = leaseIdText(id);
    if (ttlSeconds > 9e9) return { error: KvError.LeaseTtlTooLarge };
    if (this.leases.has(lease)) return { error: KvError.LeaseExists };
    this.leases.add(lease);
    return { header: headerAt(this.revision), lease, ttlSeconds: Math.max(2, ttlSeconds) };
  }

  #revoke({ id }: LeaseRevoke): ModelReply {
    if (!this.leases.delete(leaseIdText(id))) return { error: KvError.LeaseNotFound };
    const high = leaseIdHigh(id);
    const low = leaseIdLow(id);
    const its = (kv: KeyValue): boolean => kv.leaseHigh === high && kv.leaseLow === low;
    const keys = this.liveAt(this.revision).filter(its);
    for (const { key } of keys) this.#delete(new DeleteRangeRequest({ key }));
    if (this.#changes > 0) this.revision++;
    this.#changes = 0;
    return { header: headerAt(this.revision), lease: leaseIdText(noLease), ttlSeconds: 0 };
  }

  #leaseExists({ leaseHigh, leaseLow }: PutRequest): boolean {
    const id = leaseIdOf(leaseHigh, leaseLow);
    return id === noLease || this.leases.has(leaseIdText(id));
  }

  // ---- Transactions -------------------------------------------------------------------------------

  #txn(txn: TxnRequest): ModelReply {
    const taken = new Map<TxnRequest, RequestOp[]>();
    const decide = (inner: TxnRequest): void => {
      const ops = inner.compare.every((compare) => this.#holds(compare))
        ? inner.success
        : inner.failure;
      taken.set(inner, ops);
      for (const op of ops) if (op instanceof TxnRequest) decide(op);
    };
    decide(txn);
    const inOrder = (inner: TxnRequest): RequestOp[] =>
      taken.get(inner)!.flatMap((op) => (op instanceof TxnRequest ? inOrder(op) : [op]));
    const error = this.#checkTxnState(inOrder(txn));
    if (error !== KvError.None) return { error };
    const response = this.#runTxn(txn, taken);
    return { ...response, header: headerAt(this.now) };
  }

  #checkTxnState(ops: readonly RequestOp[]): KvError {
    const deletes: DeleteRangeRequest[] = [];
    for (const op of ops) {
      if (op instanceof DeleteRangeRequest) deletes.push(op);
      if (!(op instanceof PutRequest)) continue;
      const error = this.#checkPrevious(op);
      if (error !== KvError.None) return error;
      const deleted = deletes.some((del) => covers(del, op.key, true));
      if ((op.ignoreValue || op.ignoreLease) && deleted) return KvError.KeyNotFound;
      if (!this.#leaseExists(op)) return KvError.LeaseNotFound;
    }
    for (const op of ops) {
      if (!(op instanceof RangeRequest) || op.revision === 0) continue;
      if (op.revision > this.revision) return KvError.FutureRevision;
      if (op.revision < this.compactRevision) return KvError.Compacted;
    }
    return KvError.None;
  }

  #runTxn(txn: TxnRequest, taken: ReadonlyMap<TxnRequest, RequestOp[]>): TxnResponse {
    const ops = taken.get(txn)!;
    const succeeded = ops === txn.success;
    const responses = ops.map((op): ResponseOp => {
      if (op instanceof TxnRequest) return this.#runTxn(op, taken);
      const response = op instanceof RangeRequest ? this.#range(op) : this.#write(op!);
      return response;
    });
    return { type: OpType.Txn, header: headerAt(0), succeeded, responses };
  }

  #holds(compare: Compare): boolean {
    const kvs = this.#between(compare.key, compare.rangeEnd, this.revision);
    if (kvs.length > 0) return kvs.every((kv) => compares(compare, kv));
    return compare.target !== CompareTarget.Value && compares(compare, null);
  }

  #checkPrevious(put: PutRequest): KvError {
    if (!put.ignoreValue && !put.ignoreLease) return KvError.None;
    const found = this.#between(put.key, emptyBytes, this.revision).length > 0;
    return found ? KvError.None : KvError.KeyNotFound;
  }

  // ---- The edge -----------------------------------------------------------------------------------

  #check(content: Exclude<Content, LeaseGrant | LeaseRevoke>): KvError {
    if (content instanceof CompactionRequest) return KvError.None;
    if (!(content instanceof TxnRequest)) return checkOp(content, 0);
    const error = checkOp(content, this.txnOpsMax);
    if (error !== KvError.None) return error;
    const clean = [content.success, content.failure].every((ops) => footprint(ops) !== null);
    return clean ? KvError.None : KvError.DuplicateKey;
  }
}

function sorted(kvs: KeyValue[], target: SortTarget, order: SortOrder): KeyValue[] {
  const by = {
    [SortTarget.Key]: (a: KeyValue, b: KeyValue) => compareBytes(a.key, b.key),
    [SortTarget.Version]: (a: KeyValue, b: KeyValue) => a.version - b.version,
    [SortTarget.Create]: (a: KeyValue, b: KeyValue) => a.createRevision - b.createRevision,
    [SortTarget.Mod]: (a: KeyValue, b: KeyValue) => a.modRevision - b.modRevision,
    [SortTarget.Value]: (a: KeyValue, b: KeyValue) => compareBytes(a.value, b.value),
  }[target]!;
  return kvs.toSorted((a, b) => (order === SortOrder.Descend ? by(b, a) : by(a, b)));
}

function compares(compare: Compare, kv: KeyValue | null): boolean {
  const given = (operand: CompareOperand): number =>
    compare.operand === operand ? compare.number : 0;
  let order = 0;
  if (compare.target === CompareTarget.Version) {
    order = (kv?.version ?? 0) - given(CompareOperand.Version);
  } else if (compare.target === CompareTarget.Create) {
    order = (kv?.createRevision ?? 0) - given(CompareOperand.Create);
  } else if (compare.target === CompareTarget.Mod) {
    order = (kv?.modRevision ?? 0) - given(CompareOperand.Mod);
  } else if (compare.target === CompareTarget.Value) {
    const value = compare.operand === CompareOperand.Value ? compare.value : emptyBytes;
    order = compareBytes(kv!.value, value);
  } else if (compare.target === CompareTarget.Lease) {
    const isGiven = compare.operand === CompareOperand.Lease;
    const asked = isGiven ? signed(compare.leaseHigh, compare.leaseLow) : 0n;
    const its = signed(kv?.leaseHigh ?? 0, kv?.leaseLow ?? 0);
    order = its < asked ? -1 : its > asked ? 1 : 0;
  }
  if (compare.result === CompareResult.Equal) return order === 0;
  if (compare.result === CompareResult.NotEqual) return order !== 0;
  if (compare.result === CompareResult.Greater) return order > 0;
  return compare.result === CompareResult.Less ? order < 0 : true;
}

function signed(high: number, low: number): bigint {
  return BigInt.asIntN(64, (BigInt(high) << 32n) | BigInt(low));
}

function covers(del: DeleteRangeRequest, key: Uint8Array, endless: boolean): boolean {
  if (del.rangeEnd.length === 0) return equalBytes(del.key, key);
  if (compareBytes(key, del.key) < 0) return false;
  const noEnd = endless && equalBytes(del.rangeEnd, latin1Encode("\0"));
  return noEnd || compareBytes(key, del.rangeEnd) < 0;
}

function checkOp(op: RequestOp, budget: number): KvError {
  if (op === null) return KvError.KeyNotFound;
  if (op instanceof TxnRequest) {
    const longest = Math.max(op.compare.length, op.success.length, op.failure.length);
    if (longest > budget) return KvError.TooManyOps;
    if (op.compare.some(({ key }) => key.length === 0)) return KvError.KeyNotProvided;
    for (const inner of [...op.success, ...op.failure]) {
      const error = checkOp(inner, budget - longest);
      if (error !== KvError.None) return error;
    }
    return KvError.None;
  }
  if (op.key.length === 0) return KvError.KeyNotProvided;
  if (op instanceof PutRequest) {
    if (op.ignoreValue && op.value.length > 0) return KvError.ValueProvided;
    if (op.ignoreLease && op.leaseLow + op.leaseHigh > 0) return KvError.LeaseProvided;
  }
  return KvError.None;
}

interface Footprint {
  readonly puts: readonly Uint8Array[];
  readonly deletes: readonly DeleteRangeRequest[];
}

/** Null: an overlap. The deletes of an inner transaction bind only what is checked after it. */
function footprint(ops: readonly RequestOp[]): Footprint | null {
  const puts: Uint8Array[] = [];
  const deletes = ops.filter((op) => op instanceof DeleteRangeRequest);
  const clashes = (key: Uint8Array): boolean =>
    puts.some((put) => equalBytes(put, key)) || deletes.some((del) => covers(del, key, false));
  for (const op of ops) {
    if (!(op instanceof TxnRequest)) continue;
    const success = footprint(op.success);
    const failure = footprint(op.failure);
    if (success === null || failure === null) return null;
    if ([...success.puts, ...failure.puts].some(clashes)) return null;
    puts.push(...success.puts, ...failure.puts);
    deletes.push(...success.deletes, ...failure.deletes);
  }
  for (const op of ops) {
    if (!(op instanceof PutRequest)) continue;
    if (clashes(op.key)) return null;
    puts.push(op.key);
  }
  return { puts, deletes };
}
