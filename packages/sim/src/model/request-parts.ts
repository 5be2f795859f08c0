// A request taken apart: the operations in all branches of a transaction, however deep.
import {
  CompactionRequest,
  type DeleteRangeRequest,
  OpType,
  type PutRequest,
  type RangeRequest,
  type TxnRequest,
} from "@quorate/kv";

export type ModelRequest =
  | RangeRequest
  | PutRequest
  | DeleteRangeRequest
  | TxnRequest
  | CompactionRequest;

export type PlainOperation = RangeRequest | PutRequest | DeleteRangeRequest;

export function plainOperationsOf(request: ModelRequest): PlainOperation[] {
  if (request instanceof CompactionRequest) return [];
  if (request.type !== OpType.Txn) return [request];
  return [...request.success, ...request.failure].flatMap((op) =>
    op === null ? [] : plainOperationsOf(op),
  );
}

/** Workloads give every put a value of its own: what holds one is asked for once. */
export function isUnique(request: ModelRequest): boolean {
  return plainOperationsOf(request).some((op) => op.type === OpType.Put);
}
