// Put and DeleteRange on an open store transaction, each for itself or inside a Txn: etcd's Put and
// DeleteRange of etcdserver/apply.go. Here nothing can be refused any more: whoever calls has
// checked. Writes the response's fields when there is a writer.
import { assert, latin1Decode } from "@quorate/base";
import { KvError } from "../kv-error.ts";
import { leaseKeysMax } from "../lease/lease.ts";
import { leaseIdOf } from "../lease/lease-id.ts";
import type { RowRef } from "../rows.ts";
import { collectRange, endOf } from "../mvcc/range.ts";
import type { MvccStore } from "../mvcc/store.ts";
import { ResponseTag, writeHeader, writeKeyValue } from "../wire/encode-response.ts";
import type { HeaderSource } from "../wire/encode-response.ts";
import type { ProtoWriter } from "../wire/proto-writer.ts";
import type { DeleteRangeRequest, PutRequest } from "../wire/request.ts";

/** What a put needs of the state: the key, for the ignore flags, and its lease. */
export function checkPutLease(store: MvccStore, put: PutRequest): KvError {
  const { leaseHigh, leaseLow } = put;
  if ((leaseHigh | leaseLow) === 0) return KvError.None;
  const lease = store.leases.get(leaseIdOf(leaseHigh, leaseLow));
  if (lease === null) return KvError.LeaseNotFound;
  if (lease.slots.size < leaseKeysMax) return KvError.None;
  const has = lease.slots.has(store.index.findLive(latin1Decode(put.key)));
  return has ? KvError.None : KvError.TooManyLeaseKeys;
}

export function checkPutPrevious(store: MvccStore, put: PutRequest): KvError {
  if (!put.ignoreValue && !put.ignoreLease) return KvError.None;
  const slot = store.index.findLive(latin1Decode(put.key));
  return slot < 0 ? KvError.KeyNotFound : KvError.None;
}

export function applyPut(
  store: MvccStore,
  put: PutRequest,
  header: HeaderSource | null,
  writer: ProtoWriter | null,
): void {
  const key = latin1Decode(put.key);
  let { value, leaseHigh, leaseLow } = put;
  let previous: RowRef | null = null;
  if (put.ignoreValue || put.ignoreLease || (put.prevKv && writer !== null)) {
    const slot = store.index.findLive(key);
    if (slot >= 0) previous = store.index.slots.ref(slot);
  }
  const row = previous === null ? null : store.rows.read(previous);
  if (put.ignoreValue || put.ignoreLease) {
    assert(row !== null, "applyPut: the check let an ignore flag pass for an absent key");
    if (put.ignoreValue) value = row.value;
    if (put.ignoreLease) {
      leaseHigh = row.leaseHigh;
      leaseLow = row.leaseLow;
    }
  }
  store.put(key, put.key, value, leaseHigh, leaseLow);
  if (writer === null) return;
  writeHeader(writer, header, store.readRevision);
  if (put.prevKv && row !== null) writeKeyValue(writer, ResponseTag.PutPrevKv, row, true);
}

/** ResponseTooLarge: deleted all the same, only the answer is given up. */
export function applyDeleteRange(
  store: MvccStore,
  request: DeleteRangeRequest,
  header: HeaderSource | null,
  writer: ProtoWriter | null,
  bytesMax: number,
): KvError {
  const refs: RowRef[] = [];
  if (request.prevKv && writer !== null) {
    const now = store.readRevision;
    collectRange(store, request.key, request.rangeEnd, now, Infinity, refs);
  }
  const key = latin1Decode(request.key);
  const deleted =
    request.rangeEnd.length === 0
      ? store.deleteKey(key)
      : store.deleteRange(key, endOf(request.rangeEnd));
  if (writer === null) return KvError.None;
  writeHeader(writer, header, store.readRevision);
  writer.uint(ResponseTag.DeleteDeleted, deleted);
  for (const ref of refs) {
    writeKeyValue(writer, ResponseTag.DeletePrevKv, store.rows.read(ref), true);
    if (writer.length > bytesMax) return KvError.ResponseTooLarge;
  }
  return KvError.None;
}
