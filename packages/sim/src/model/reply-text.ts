// Real replies in the canonical form of the naive twin (kv-model.ts), and the revision they name.
import { assert, assertNever, latin1Decode, must } from "@quorate/base";
import { rangeRequest, type RequestKind } from "@quorate/host";
import {
  decodeCompactionResponse,
  decodeDeleteRangeResponse,
  decodePutResponse,
  decodeRangeResponse,
  decodeTxnResponse,
  type DeleteRangeResponse,
  type KeyValue,
  OperationKind,
  OpType,
  type PutResponse,
  type RangeResponse,
  type ResponseOp,
  type TxnResponse,
} from "@quorate/kv";
import { leaseNumber } from "./lease-number.ts";
import { kvText, type LiveKey, rangeText, txnText } from "./canonical.ts";

export interface ReplyText {
  /** Of the response header. */
  readonly revision: number;
  readonly text: string;
  /** It changed the state: its revision is its own. */
  readonly changed: boolean;
}

/** The request asked for values of nothing (etcd leaves them out): see KvModel's keysOnly. */
export function replyText(kind: RequestKind, bytes: Uint8Array): ReplyText {
  switch (kind) {
    case rangeRequest: {
      const reply = must(decodeRangeResponse(bytes), "a reply to Range");
      return withHeader(reply, rangeBody(reply), false);
    }
    case OperationKind.Put: {
      const reply = must(decodePutResponse(bytes), "a reply to Put");
      return withHeader(reply, putBody(reply), true);
    }
    case OperationKind.DeleteRange: {
      const reply = must(decodeDeleteRangeResponse(bytes), "a reply to DeleteRange");
      return withHeader(reply, deleteBody(reply), reply.deleted > 0);
    }
    case OperationKind.Txn: {
      const reply = must(decodeTxnResponse(bytes), "a reply to Txn");
      return withHeader(reply, txnBody(reply), changes(reply));
    }
    case OperationKind.Compact: {
      const reply = must(decodeCompactionResponse(bytes), "a reply to Compact");
      return withHeader(reply, "compacted", false);
    }
    default:
      return assertNever(kind, "request kind");
  }
}

/** As `replyText`, without the text: what every reply of a run is asked at once. */
export function replyHead(kind: RequestKind, bytes: Uint8Array): Omit<ReplyText, "text"> {
  switch (kind) {
    case rangeRequest: {
      const reply = must(decodeRangeResponse(bytes), "a reply to Range");
      return { revision: reply.header.revision, changed: false };
    }
    case OperationKind.Put: {
      const reply = must(decodePutResponse(bytes), "a reply to Put");
      return { revision: reply.header.revision, changed: true };
    }
    case OperationKind.DeleteRange: {
      const reply = must(decodeDeleteRangeResponse(bytes), "a reply to DeleteRange");
      return { revision: reply.header.revision, changed: reply.deleted > 0 };
    }
    case OperationKind.Txn: {
      const reply = must(decodeTxnResponse(bytes), "a reply to Txn");
      return { revision: reply.header.revision, changed: changes(reply) };
    }
    case OperationKind.Compact: {
      const reply = must(decodeCompactionResponse(bytes), "a reply to Compact");
      return { revision: reply.header.revision, changed: false };
    }
    default:
      return assertNever(kind, "request kind");
  }
}

function withHeader(
  reply: { readonly header: { readonly revision: number } },
  body: string,
  changed: boolean,
): ReplyText {
  const revision = reply.header.revision;
  return { revision, text: `rev=${revision} ${body}`, changed };
}

function rangeBody(reply: RangeResponse): string {
  return rangeText(reply.count, reply.more, reply.kvs.map(textOf));
}

function putBody(reply: PutResponse): string {
  return `put${reply.prevKv === null ? "" : ` prev ${textOf(reply.prevKv)}`}`;
}

function deleteBody(reply: DeleteRangeResponse): string {
  return `deleted ${reply.deleted}${reply.prevKvs.map((kv) => ` prev ${textOf(kv)}`).join("")}`;
}

function txnBody(reply: TxnResponse): string {
  return txnText(reply.succeeded, reply.responses.map(opBody));
}

function opBody(op: ResponseOp): string {
  assert(op !== null, "a reply to every operation of a transaction");
  switch (op.type) {
    case OpType.Txn:
      return txnBody(op);
    case OpType.Range:
      return rangeBody(op);
    case OpType.Put:
      return putBody(op);
    case OpType.DeleteRange:
      return deleteBody(op);
    default:
      return assertNever(op, "response");
  }
}

function changes(reply: TxnResponse): boolean {
  return reply.responses.some(
    (op) =>
      op?.type === OpType.Put ||
      (op?.type === OpType.DeleteRange && op.deleted > 0) ||
      (op?.type === OpType.Txn && changes(op)),
  );
}

function textOf(kv: KeyValue): string {
  return kvText(liveKeyOf(kv));
}

export function liveKeyOf(kv: KeyValue): LiveKey {
  return {
    key: latin1Decode(kv.key),
    create: kv.createRevision,
    main: kv.modRevision,
    version: kv.version,
    value: latin1Decode(kv.value),
    lease: leaseNumber(kv.leaseHigh, kv.leaseLow),
  };
}
