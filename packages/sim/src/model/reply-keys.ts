// The keys that a real reply shows, as they were at the moment it tells of.
import { assertNever, must } from "@quorate/base";
import { rangeRequest, type RequestKind } from "@quorate/host";
import {
  decodeDeleteRangeResponse,
  decodePutResponse,
  decodeRangeResponse,
  decodeTxnResponse,
  OperationKind,
  OpType,
  type ResponseOp,
} from "@quorate/kv";
import type { LiveKey } from "./canonical.ts";
import { liveKeyOf } from "./reply-text.ts";

/** In a transaction's reply, of ranges that leave values out, too: workloads ask for none there. */
export function keysHeard(kind: RequestKind, bytes: Uint8Array): LiveKey[] {
  switch (kind) {
    case rangeRequest:
      return keysIn(must(decodeRangeResponse(bytes), "a reply to Range"));
    case OperationKind.Put:
      return keysIn(must(decodePutResponse(bytes), "a reply to Put"));
    case OperationKind.DeleteRange:
      return keysIn(must(decodeDeleteRangeResponse(bytes), "a reply to DeleteRange"));
    case OperationKind.Txn:
      return keysIn(must(decodeTxnResponse(bytes), "a reply to Txn"));
    case OperationKind.Compact:
      return [];
    default:
      return assertNever(kind, "request kind");
  }
}

function keysIn(reply: NonNullable<ResponseOp>): LiveKey[] {
  switch (reply.type) {
    case OpType.Range:
      return reply.kvs.map(liveKeyOf);
    case OpType.Put:
      return reply.prevKv === null ? [] : [liveKeyOf(reply.prevKv)];
    case OpType.DeleteRange:
      return reply.prevKvs.map(liveKeyOf);
    case OpType.Txn:
      return reply.responses.flatMap((op) => (op === null ? [] : keysIn(op)));
    default:
      return assertNever(reply, "response");
  }
}
