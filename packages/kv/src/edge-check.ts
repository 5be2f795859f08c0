// What a request must satisfy before it is proposed or read, by rules that need no state: etcd's
// checks in etcdserver/api/v3rpc/key.go (3.4), in its order, so that the first error is its error.
// Depends on this member's settings, so apply never asks it.
import { assertNever, latin1Decode } from "@quorate/base";
import { decodeAlarmCommand } from "./alarm/alarm-command.ts";
import { decodeAuthCommand } from "./auth/auth-command.ts";
import { decodeDowngradeCommand } from "./downgrade/downgrade-command.ts";
import { KvError } from "./kv-error.ts";
import {
  decodeLeaseCheckpoint,
  decodeLeaseGrant,
  decodeLeaseRevoke,
} from "./lease/lease-commands.ts";
import { OperationKind } from "./operation.ts";
import { KeySpans } from "./txn/key-spans.ts";
import {
  decodeCompactionRequest,
  decodeDeleteRangeRequest,
  decodePutRequest,
  decodeRangeRequest,
  decodeTxnRequest,
} from "./wire/decode-request.ts";
import { OpType, SortOrder, SortTarget } from "./wire/request.ts";
import type { PutRequest, RangeRequest, RequestOp, TxnRequest } from "./wire/request.ts";

/** Transactions inside each other; etcd's budget of operations alone would let 129 levels pass. */
export const txnNestingMax = 8;
/**
 * Operations that one transaction can come to, inner ones included, in parts of txnOpsMax. etcd's budget
 * bounds each way into a transaction and no sum: 1.5 MiB hold a hundred thousand operations.
 */
export const txnOpsTotalFactor = 8;

export function checkOperation(
  kind: OperationKind,
  request: Uint8Array,
  txnOpsMax: number,
): KvError {
  switch (kind) {
    case OperationKind.Put: {
      const put = decodePutRequest(request);
      return put === null ? KvError.Malformed : checkPut(put);
    }
    case OperationKind.DeleteRange: {
      const del = decodeDeleteRangeRequest(request);
      return del === null ? KvError.Malformed : checkKey(del.key);
    }
    case OperationKind.Txn: {
      const txn = decodeTxnRequest(request, 0, txnOpsMax);
      return txn === null ? KvError.Malformed : checkTxn(txn, txnOpsMax);
    }
    case OperationKind.Compact:
      return decodeCompactionRequest(request) === null ? KvError.Malformed : KvError.None;
    case OperationKind.Alarm:
      return decodeAlarmCommand(request) === null ? KvError.Malformed : KvError.None;
    case OperationKind.LeaseGrant:
      return decodeLeaseGrant(request) === null ? KvError.Malformed : KvError.None;
    case OperationKind.LeaseRevoke:
      return decodeLeaseRevoke(request) === null ? KvError.Malformed : KvError.None;
    case OperationKind.LeaseCheckpoint:
      return decodeLeaseCheckpoint(request) === null ? KvError.Malformed : KvError.None;
    case OperationKind.Auth:
      return decodeAuthCommand(request) === null ? KvError.Malformed : KvError.None;
    case OperationKind.Downgrade:
      return decodeDowngradeCommand(request) === null ? KvError.Malformed : KvError.None;
    default:
      return assertNever(kind, "operation kind");
  }
}

/** Of a Range outside a transaction. */
export function checkRangeRequest(request: Uint8Array): KvError {
  const range = decodeRangeRequest(request);
  return range === null ? KvError.Malformed : checkRange(range);
}

function checkKey(key: Uint8Array): KvError {
  return key.length === 0 ? KvError.KeyNotProvided : KvError.None;
}

/** The sort options are checked as of etcd 3.5; 3.4 ends its process on an unknown target. */
export function checkRange(range: RangeRequest): KvError {
  if (range.key.length === 0) return KvError.KeyNotProvided;
  const { sortOrder, sortTarget } = range;
  const known =
    sortOrder >= SortOrder.None &&
    sortOrder <= SortOrder.Descend &&
    sortTarget >= SortTarget.Key &&
    sortTarget <= SortTarget.Value;
  return known ? KvError.None : KvError.InvalidSortOption;
}

function checkPut(put: PutRequest): KvError {
  if (put.key.length === 0) return KvError.KeyNotProvided;
  if (put.ignoreValue && put.value.length > 0) return KvError.ValueProvided;
  if (put.ignoreLease && (put.leaseHigh | put.leaseLow) !== 0) return KvError.LeaseProvided;
  return KvError.None;
}

function checkTxn(txn: TxnRequest, txnOpsMax: number): KvError {
  const error = checkOps(txn, txnOpsMax, 1);
  if (error !== KvError.None) return error;
  if (opsOf(txn) > txnOpsMax * txnOpsTotalFactor) return KvError.TooManyOps;
  const overlaps = checkOverlaps(txn.success) === null || checkOverlaps(txn.failure) === null;
  return overlaps ? KvError.DuplicateKey : KvError.None;
}

// A transaction uses up as much of the budget as its longest list has; those inside it share, each
// for itself, what is left.
function checkOps(txn: TxnRequest, opsMax: number, depth: number): KvError {
  const ops = Math.max(txn.compare.length, txn.success.length, txn.failure.length);
  if (ops > opsMax) return KvError.TooManyOps;
  if (txn.tooDeep || depth > txnNestingMax) return KvError.TxnTooDeep;
  for (const compare of txn.compare) {
    if (compare.key.length === 0) return KvError.KeyNotProvided;
  }
  for (const list of [txn.success, txn.failure]) {
    for (const op of list) {
      const error = checkOp(op, opsMax - ops, depth);
      if (error !== KvError.None) return error;
    }
  }
  return KvError.None;
}

function checkOp(op: RequestOp, opsMax: number, depth: number): KvError {
  // etcd's answer to an operation without content.
  if (op === null) return KvError.KeyNotFound;
  switch (op.type) {
    case OpType.Range:
      return checkRange(op);
    case OpType.Put:
      return checkPut(op);
    case OpType.DeleteRange:
      return checkKey(op.key);
    case OpType.Txn:
      return checkOps(op, opsMax, depth + 1);
    default:
      return assertNever(op, "operation");
  }
}

/** Of the branch that comes to more, and compares beside it. */
function opsOf(txn: TxnRequest): number {
  return txn.compare.length + Math.max(opsIn(txn.success), opsIn(txn.failure));
}

function opsIn(ops: readonly RequestOp[]): number {
  let total = ops.length;
  for (const op of ops) {
    if (op !== null && op.type === OpType.Txn) total += opsOf(op);
  }
  return total;
}

interface Written {
  readonly puts: Set<string>;
  readonly deletes: KeySpans;
}

/**
 * What a list of operations puts and deletes; null when a key is put twice, or put and deleted.
 * As etcd does it: the two branches of a transaction exclude each other; a transaction's deletes
 * count only for what comes behind it; a delete without end ("\0") overlaps nothing.
 */
function checkOverlaps(ops: readonly RequestOp[]): Written | null {
  const puts = new Set<string>();
  let deletes = KeySpans.union(ops.map(deletesOf));
  for (const op of ops) {
    if (op === null || op.type !== OpType.Txn) continue;
    const success = checkOverlaps(op.success);
    const failure = success === null ? null : checkOverlaps(op.failure);
    if (success === null || failure === null) return null;
    for (const key of success.puts) {
      if (puts.has(key) || deletes.contains(key)) return null;
    }
    for (const key of failure.puts) {
      if (puts.has(key) || deletes.contains(key)) return null;
    }
    for (const key of success.puts) puts.add(key);
    for (const key of failure.puts) puts.add(key);
    deletes = KeySpans.union([deletes, success.deletes, failure.deletes]);
  }
  for (const op of ops) {
    if (op === null || op.type !== OpType.Put) continue;
    const key = latin1Decode(op.key);
    if (puts.has(key) || deletes.contains(key)) return null;
    puts.add(key);
  }
  return { puts, deletes };
}

const noSpans = new KeySpans();

function deletesOf(op: RequestOp): KeySpans {
  if (op === null || op.type !== OpType.DeleteRange) return noSpans;
  const key = latin1Decode(op.key);
  if (op.rangeEnd.length === 0) return KeySpans.ofKey(key);
  // "\0" is taken literally here, an end before every key, as etcd does.
  return KeySpans.of(key, latin1Decode(op.rangeEnd));
}
