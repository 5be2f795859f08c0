// K5: limits are decided before a request is proposed, from the request alone, never by whoever
// applies it (etcd #14571): what is too large is refused as that and what is not is not, and an entry
// that is in the log is within all limits and fails for none.
import { FailureCode } from "@quorate/host";
import { CompactionRequest, KvError, OpType } from "@quorate/kv";
import { type ClientOperation, type ClientRequest, Outcome } from "../client/history.ts";
import { isUnique } from "../model/request-parts.ts";
import { type Evidence, isLogged, type Limits } from "./evidence.ts";
import type { Replay } from "./replay.ts";
import { demand } from "./violation.ts";

const property = "K5 limits";

export function checkLimits({ history, limits, replay }: Evidence): void {
  for (const operation of history.operations) {
    if (!isLogged(operation)) continue;
    checkRefusal(operation, limits);
    if (isRefusedByLimit(operation)) checkNotInLog(operation, replay);
  }
  for (const { index, payloadBytes, request } of replay.operations) {
    const within =
      payloadBytes <= limits.requestBytesMax && longestList(request) <= limits.txnOpsMax;
    demand(within, property, () => `the entry at ${index} exceeds a limit: ${payloadBytes} bytes`);
  }
}

/** Refused for its size exactly if it is too large, whatever else was the matter. */
function checkRefusal(operation: ClientOperation, { requestBytesMax, txnOpsMax }: Limits): void {
  const { id, bytes, request, outcome, failure, kvError } = operation;
  const tooLarge = bytes.length > requestBytesMax;
  if (failure === FailureCode.TooLarge || (tooLarge && wasRead(operation))) {
    demand(
      tooLarge && outcome === Outcome.NotCommitted && failure === FailureCode.TooLarge,
      property,
      () => `operation ${id} of ${bytes.length} bytes: outcome ${outcome}, failure ${failure}`,
    );
    return;
  }
  const tooMany = longestList(request) > txnOpsMax;
  if (kvError === KvError.TooManyOps || (tooMany && wasRead(operation))) {
    demand(
      tooMany && kvError === KvError.TooManyOps,
      property,
      () => `operation ${id} of ${longestList(request)} operations: outcome ${outcome}`,
    );
  }
}

/** A member has looked at it: it was not turned away unread, nor was the answer lost. */
function wasRead({ outcome, failure }: ClientOperation): boolean {
  return outcome === Outcome.Ok || failure === FailureCode.Kv || failure === FailureCode.TooLarge;
}

function isRefusedByLimit({ failure, kvError }: ClientOperation): boolean {
  return (
    failure === FailureCode.TooLarge ||
    failure === FailureCode.TooManyRequests ||
    kvError === KvError.TooManyOps ||
    kvError === KvError.RequestTooLarge ||
    kvError === KvError.DuplicateKey
  );
}

function checkNotInLog(operation: ClientOperation, replay: Replay): void {
  if (!isUnique(operation.request)) return;
  const found = replay.operationsOf(operation.key);
  demand(
    found.length === 0,
    property,
    () =>
      `operation ${operation.id} was refused by a limit and is in the log at ${found[0]?.index}`,
  );
}

/** The longest lists on the deepest way into a transaction, together: what etcd's limit counts. */
function longestList(request: ClientRequest): number {
  if (request instanceof CompactionRequest || request.type !== OpType.Txn) return 0;
  const { compare, success, failure } = request;
  const inner = [...success, ...failure].map((op) => (op === null ? 0 : longestList(op)));
  return Math.max(compare.length, success.length, failure.length) + Math.max(0, ...inner);
}
