// Runs a transaction as etcd 3.4 does (applyTxn of etcdserver/apply.go), in three passes, so that a
// refusal leaves nothing behind:
//   1. the path: which branch each transaction takes; all compares, those of inner transactions
//      too, see the state before the whole transaction;
//   2. the checks along the path: first every put, then every range, on that same state;
//   3. the operations in order, each seeing what those before it wrote.
import { assert, assertNever, latin1Decode } from "@quorate/base";
import { KvError } from "../kv-error.ts";
import { endOf, range } from "../mvcc/range.ts";
import type { MvccStore } from "../mvcc/store.ts";
import { ResponseTag } from "../wire/encode-response.ts";
import type { ProtoWriter } from "../wire/proto-writer.ts";
import { OpType } from "../wire/request.ts";
import type { PutRequest, RangeRequest, RequestOp, TxnRequest } from "../wire/request.ts";
import { holds } from "./compare.ts";
import { KeySpans } from "./key-spans.ts";
import { applyDeleteRange, applyPut, checkPutLease, checkPutPrevious } from "./operations.ts";

/** True for what skips the log: nothing but ranges, one level deep, as etcd's isTxnReadonly. */
export function isReadOnly(txn: TxnRequest): boolean {
  const isRange = (op: RequestOp): boolean => op !== null && op.type === OpType.Range;
  return txn.success.every(isRange) && txn.failure.every(isRange);
}

/** True when a read-only transaction may be served without a read index, as etcd has it. */
export function isSerializable(txn: TxnRequest): boolean {
  const may = (op: RequestOp): boolean =>
    op !== null && op.type === OpType.Range && op.serializable;
  return txn.success.every(may) && txn.failure.every(may);
}

/**
 * One transaction on one store. `begin` of the store comes between `check` and `run`, unless the
 * transaction is read-only.
 */
export class TxnRun {
  readonly #store: MvccStore;
  readonly #txn: TxnRequest;
  /** Of each transaction on the path, in the order of the passes: did its compares hold? */
  readonly #path: boolean[];
  /** Next element of #path in the pass that runs. */
  #at: number;
  /** Keys that a delete on the path covers before the operation that the checks have reached. */
  #deleted: KeySpans;
  #writer: ProtoWriter | null;
  #bytesMax: number;

  constructor(store: MvccStore, txn: TxnRequest) {
    this.#store = store;
    this.#txn = txn;
    this.#path = [];
    this.#at = 0;
    this.#deleted = new KeySpans();
    this.#writer = null;
    this.#bytesMax = 0;
    this.#decide(txn);
  }

  check(): KvError {
    this.#at = 0;
    const error = this.#checkPuts(this.#txn);
    if (error !== KvError.None) return error;
    this.#at = 0;
    return this.#checkRanges(this.#txn);
  }

  /**
   * Runs the operations; writes the response's fields behind the header, whose revision is known
   * only afterwards. An answer above `bytesMax` is given up (ResponseTooLarge), the writes are not.
   */
  run(writer: ProtoWriter | null, bytesMax: number): KvError {
    this.#at = 0;
    this.#writer = writer;
    this.#bytesMax = bytesMax;
    this.#runOps(this.#txn);
    return writer !== null && this.#writer === null ? KvError.ResponseTooLarge : KvError.None;
  }

  #decide(txn: TxnRequest): void {
    const succeeded = txn.compare.every((compare) => holds(this.#store, compare));
    this.#path.push(succeeded);
    for (const op of succeeded ? txn.success : txn.failure) {
      if (op !== null && op.type === OpType.Txn) this.#decide(op);
    }
  }

  #branch(txn: TxnRequest): readonly RequestOp[] {
    const succeeded = this.#path[this.#at++];
    assert(succeeded !== undefined, "TxnRun: a pass left the path");
    return succeeded ? txn.success : txn.failure;
  }

  #checkPuts(txn: TxnRequest): KvError {
    for (const op of this.#branch(txn)) {
      if (op === null) continue;
      let error: KvError = KvError.None;
      if (op.type === OpType.Txn) error = this.#checkPuts(op);
      else if (op.type === OpType.Put) error = this.#checkPut(op);
      else if (op.type === OpType.DeleteRange) {
        const key = latin1Decode(op.key);
        const spans =
          op.rangeEnd.length === 0 ? KeySpans.ofKey(key) : KeySpans.of(key, endOf(op.rangeEnd));
        this.#deleted = KeySpans.union([this.#deleted, spans]);
      }
      if (error !== KvError.None) return error;
    }
    return KvError.None;
  }

  #checkPut(put: PutRequest): KvError {
    const error = checkPutPrevious(this.#store, put);
    if (error !== KvError.None) return error;
    // The edge lets a delete without end and a put behind it pass, as etcd does. The put then finds
    // nothing to take over; etcd's members end their processes on that, each at the same entry.
    if ((put.ignoreValue || put.ignoreLease) && this.#deleted.contains(latin1Decode(put.key))) {
      return KvError.KeyNotFound;
    }
    return checkPutLease(this.#store, put);
  }

  #checkRanges(txn: TxnRequest): KvError {
    for (const op of this.#branch(txn)) {
      if (op === null) continue;
      let error: KvError = KvError.None;
      if (op.type === OpType.Txn) error = this.#checkRanges(op);
      else if (op.type === OpType.Range) error = this.#checkRange(op);
      if (error !== KvError.None) return error;
    }
    return KvError.None;
  }

  // Unlike outside a transaction, a negative revision is not "now" here once something is
  // compacted: etcd compares it first.
  #checkRange(request: RangeRequest): KvError {
    if (request.revision === 0) return KvError.None;
    if (request.revision > this.#store.revision) return KvError.FutureRevision;
    return request.revision < this.#store.compactRevision ? KvError.Compacted : KvError.None;
  }

  #runOps(txn: TxnRequest): void {
    const succeeded = this.#path[this.#at]!;
    const ops = this.#branch(txn);
    this.#writer?.bool(ResponseTag.TxnSucceeded, succeeded);
    for (const op of ops) {
      const start = this.#writer?.begin(ResponseTag.TxnResponse) ?? 0;
      if (op !== null) {
        const startOfOp = this.#writer?.begin(op.type * 8 + 2) ?? 0;
        this.#runOp(op);
        this.#writer?.end(startOfOp);
      }
      this.#writer?.end(start);
    }
  }

  #runOp(op: NonNullable<RequestOp>): void {
    const writer = this.#writer;
    switch (op.type) {
      case OpType.Range:
        if (writer !== null) this.#answer(range(this.#store, op, null, writer, this.#bytesMax));
        break;
      case OpType.Put:
        applyPut(this.#store, op, null, writer);
        if (writer !== null && writer.length > this.#bytesMax) this.#writer = null;
        break;
      case OpType.DeleteRange:
        this.#answer(applyDeleteRange(this.#store, op, null, writer, this.#bytesMax));
        break;
      case OpType.Txn:
        // The header of an inner response is there and empty.
        if (writer !== null) writer.end(writer.begin(ResponseTag.Header));
        this.#runOps(op);
        break;
      default:
        assertNever(op, "operation");
    }
  }

  #answer(error: KvError): void {
    if (error === KvError.None) return;
    // The checks have refused every other error before anything was written.
    assert(error === KvError.ResponseTooLarge, "TxnRun: an operation failed behind the checks");
    this.#writer = null;
  }
}
