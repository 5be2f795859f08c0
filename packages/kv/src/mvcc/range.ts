// Runs a Range as etcd 3.4 does: which keys, filters, order, limit; writes the response. Its odd
// corners are etcd's (etcdserver/apply.go): `count` ignores filters and limit; and a sort by
// anything but the key that names no order sorts only what the limit let through.
import { compareBytes, latin1Decode } from "@quorate/base";
import { KvError } from "../kv-error.ts";
import type { Row, RowRef } from "../rows.ts";
import { ResponseTag, writeHeader, writeKeyValue } from "../wire/encode-response.ts";
import type { HeaderSource } from "../wire/encode-response.ts";
import type { ProtoWriter } from "../wire/proto-writer.ts";
import { SortOrder, SortTarget } from "../wire/request.ts";
import type { RangeRequest } from "../wire/request.ts";
import { noRef } from "./key-index.ts";
import type { MvccStore } from "./store.ts";

/** The end of a range as the index takes it; of a non-empty `range_end`. */
export function endOf(rangeEnd: Uint8Array): string | null {
  // "\0" stands for "no end", because proto3 cannot tell an empty end from none.
  if (rangeEnd.length === 1 && rangeEnd[0] === 0) return null;
  return latin1Decode(rangeEnd);
}

/** How many keys the range has at `revision`; the refs of the first `limit` rows go to `refs`. */
export function collectRange(
  store: MvccStore,
  key: Uint8Array,
  rangeEnd: Uint8Array,
  revision: number,
  limit: number,
  refs: RowRef[],
): number {
  const { index } = store;
  const from = latin1Decode(key);
  if (rangeEnd.length > 0) return index.collect(from, endOf(rangeEnd), revision, limit, refs);
  const slot = index.find(from);
  const ref = slot < 0 ? noRef : index.refAt(slot, revision);
  if (ref === noRef) return 0;
  if (limit > 0) refs.push(ref);
  return 1;
}

/**
 * Writes the response's fields behind what the writer holds. On an error the writer holds rubbish.
 * `bytesMax` bounds everything in the writer.
 */
export function range(
  store: MvccStore,
  request: RangeRequest,
  header: HeaderSource | null,
  writer: ProtoWriter,
  bytesMax: number,
): KvError {
  const now = store.readRevision;
  if (request.revision > now) return KvError.FutureRevision;
  const revision = request.revision <= 0 ? now : request.revision;
  if (revision < store.compactRevision) return KvError.Compacted;

  writeHeader(writer, header, now);
  const { limit } = request;
  const refs: RowRef[] = [];
  let more = false;
  let count: number;
  if (request.countOnly) {
    count = collectRange(store, request.key, request.rangeEnd, revision, 0, refs);
  } else if (isPlain(request)) {
    const take = limit > 0 ? limit : Infinity;
    count = collectRange(store, request.key, request.rangeEnd, revision, take, refs);
    more = limit > 0 && count > limit;
    for (const ref of refs) {
      writeKeyValue(writer, ResponseTag.RangeKv, store.rows.read(ref), !request.keysOnly);
      if (writer.length > bytesMax) return KvError.ResponseTooLarge;
    }
  } else {
    const all = request.sortOrder !== SortOrder.None || hasFilter(request) || limit <= 0;
    const take = all ? Infinity : limit + 1;
    count = collectRange(store, request.key, request.rangeEnd, revision, take, refs);
    const rows = filter(
      request,
      refs.map((ref) => store.rows.read(ref)),
    );
    sort(request, rows);
    more = limit > 0 && rows.length > limit;
    if (more) rows.length = limit;
    for (const row of rows) {
      writeKeyValue(writer, ResponseTag.RangeKv, row, !request.keysOnly);
      if (writer.length > bytesMax) return KvError.ResponseTooLarge;
    }
  }
  writer.bool(ResponseTag.RangeMore, more);
  writer.uint(ResponseTag.RangeCount, count);
  return KvError.None;
}

/** The rows come out as the index gives them: in order of keys, all of them wanted. */
export function isPlain(request: RangeRequest): boolean {
  const ascending = request.sortOrder === SortOrder.None || request.sortOrder === SortOrder.Ascend;
  return ascending && request.sortTarget === SortTarget.Key && !hasFilter(request);
}

function hasFilter(request: RangeRequest): boolean {
  return (
    request.minModRevision !== 0 ||
    request.maxModRevision !== 0 ||
    request.minCreateRevision !== 0 ||
    request.maxCreateRevision !== 0
  );
}

function filter(request: RangeRequest, rows: Row[]): Row[] {
  if (!hasFilter(request)) return rows;
  const { minModRevision, maxModRevision, minCreateRevision, maxCreateRevision } = request;
  return rows.filter(
    (row) =>
      (maxModRevision === 0 || row.main <= maxModRevision) &&
      (minModRevision === 0 || row.main >= minModRevision) &&
      (maxCreateRevision === 0 || row.createRevision <= maxCreateRevision) &&
      (minCreateRevision === 0 || row.createRevision >= minCreateRevision),
  );
}

// Stable, so equals stay in order of keys in both directions. etcd's sort is not stable, but is an
// insertion sort, and so the same, up to twelve rows.
function sort(request: RangeRequest, rows: Row[]): void {
  if (request.sortOrder === SortOrder.None && request.sortTarget === SortTarget.Key) return;
  const compare = comparison(request.sortTarget);
  if (request.sortOrder === SortOrder.Descend) rows.sort((a, b) => compare(b, a));
  else rows.sort(compare);
}

function comparison(target: SortTarget): (a: Row, b: Row) => number {
  switch (target) {
    case SortTarget.Version:
      return (a, b) => a.version - b.version;
    case SortTarget.Create:
      return (a, b) => a.createRevision - b.createRevision;
    case SortTarget.Mod:
      return (a, b) => a.main - b.main;
    case SortTarget.Value:
      return (a, b) => compareBytes(a.value, b.value);
    default:
      return (a, b) => compareBytes(a.key, b.key);
  }
}
