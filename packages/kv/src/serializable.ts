// May a read be served without a read index, from what this member has applied? The request says
// so itself; the host must know before it reads.
import { isReadOnly, isSerializable } from "./txn/txn.ts";
import { decodeRangeRequest, decodeTxnRequest } from "./wire/decode-request.ts";

/** Of a RangeRequest's bytes; false when they are none. */
export function rangeIsSerializable(request: Uint8Array): boolean {
  return decodeRangeRequest(request)?.serializable ?? false;
}

/** Of a TxnRequest's bytes: read-only, and every range in it serializable. */
export function txnIsSerializable(request: Uint8Array): boolean {
  const txn = decodeTxnRequest(request);
  return txn !== null && isReadOnly(txn) && isSerializable(txn);
}
