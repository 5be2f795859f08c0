// The registry of operations: what apply does for each kind of entry. A new kind of operation is a
// new line in `operationHandlers`. Handlers see committed entries only: they decode, check what
// depends on state, then write; a refusal leaves the state as it was. They depend on nothing but
// the state and the entry (raft-lessons 50).
import { encodeAlarms } from "./alarm/alarm.ts";
import { decodeAlarmCommand } from "./alarm/alarm-command.ts";
import { applyAuthCommand } from "./auth/apply-auth.ts";
import { decodeAuthCommand } from "./auth/auth-command.ts";
import { decodeDowngradeCommand } from "./downgrade/downgrade-command.ts";
import { KvError } from "./kv-error.ts";
import {
  applyLeaseCheckpoint,
  applyLeaseGrant,
  applyLeaseRevoke,
} from "./lease/lease-operations.ts";
import type { MvccStore } from "./mvcc/store.ts";
import { OperationKind } from "./operation.ts";
import type { OperationHandler } from "./operation-handler.ts";
import type { ReplyBuilder } from "./reply.ts";
import { applyDeleteRange, applyPut, checkPutLease, checkPutPrevious } from "./txn/operations.ts";
import { isReadOnly, TxnRun } from "./txn/txn.ts";
import {
  decodeCompactionRequest,
  decodeDeleteRangeRequest,
  decodePutRequest,
  decodeTxnRequest,
} from "./wire/decode-request.ts";
import { writeHeader } from "./wire/encode-response.ts";

export const operationHandlers: Record<OperationKind, OperationHandler> = {
  [OperationKind.Put]: ({ store }, payload, at, wallMs, reply) => {
    const put = decodePutRequest(payload, at);
    if (put === null) return KvError.Malformed;
    if (put.key.length === 0) return KvError.KeyNotProvided;
    const leaseError = checkPutLease(store, put);
    if (leaseError !== KvError.None) return leaseError;
    const previousError = checkPutPrevious(store, put);
    if (previousError !== KvError.None) return previousError;
    store.begin(wallMs);
    applyPut(store, put, reply, reply === null ? null : reply.body);
    store.commit();
    return KvError.None;
  },

  [OperationKind.DeleteRange]: ({ store }, payload, at, wallMs, reply) => {
    const request = decodeDeleteRangeRequest(payload, at);
    if (request === null) return KvError.Malformed;
    if (request.key.length === 0) return KvError.KeyNotProvided;
    store.begin(wallMs);
    const body = reply === null ? null : reply.body;
    const error = applyDeleteRange(store, request, reply, body, reply?.bytesMax ?? 0);
    store.commit();
    return error;
  },

  [OperationKind.Txn]: ({ store }, payload, at, wallMs, reply) => {
    const txn = decodeTxnRequest(payload, at);
    if (txn === null) return KvError.Malformed;
    if (isReadOnly(txn)) return readTxn(store, new TxnRun(store, txn), reply);
    const run = new TxnRun(store, txn);
    const refusal = run.check();
    if (refusal !== KvError.None) return refusal;
    store.begin(wallMs);
    const error = run.run(reply === null ? null : reply.body, reply?.bytesMax ?? 0);
    store.commit();
    reply?.headerInFront(store.revision);
    return error;
  },

  [OperationKind.Compact]: ({ store }, payload, at, _wallMs, reply) => {
    const request = decodeCompactionRequest(payload, at);
    if (request === null) return KvError.Malformed;
    if (request.revision <= store.compactRevision) return KvError.Compacted;
    if (request.revision > store.revision) return KvError.FutureRevision;
    store.compact(request.revision);
    if (reply !== null) writeHeader(reply.body, reply, store.revision);
    return KvError.None;
  },

  /** The reply is a list of alarms as they stand in the table, not a message of etcd's. */
  [OperationKind.Alarm]: ({ alarms }, payload, at, wallMs, reply) => {
    const command = decodeAlarmCommand(payload, at);
    if (command === null) return KvError.Malformed;
    const outcome = alarms.apply(command, wallMs);
    if (typeof outcome === "number") return outcome;
    reply?.body.raw(encodeAlarms(outcome));
    return KvError.None;
  },

  [OperationKind.LeaseGrant]: applyLeaseGrant,
  [OperationKind.LeaseRevoke]: applyLeaseRevoke,
  [OperationKind.LeaseCheckpoint]: applyLeaseCheckpoint,
  /** The reply is empty. */
  [OperationKind.Auth]: ({ auth }, payload, at, wallMs) => {
    const command = decodeAuthCommand(payload, at);
    return command === null ? KvError.Malformed : applyAuthCommand(auth, command, wallMs);
  },
  /** The reply is empty. */
  [OperationKind.Downgrade]: ({ downgrade }, payload, at) => {
    const command = decodeDowngradeCommand(payload, at);
    return command === null ? KvError.Malformed : downgrade.apply(command);
  },
};

/** A transaction that writes nothing, on the present state. */
export function readTxn(store: MvccStore, run: TxnRun, reply: ReplyBuilder | null): KvError {
  const refusal = run.check();
  if (refusal !== KvError.None || reply === null) return refusal;
  const error = run.run(reply.body, reply.bytesMax);
  reply.headerInFront(store.revision);
  return error;
}
