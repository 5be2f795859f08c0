// Writes etcd's KV responses, byte for byte as etcd 3.4 does. Whoever runs an operation writes the
// fields in order; what is here are the parts that repeat: headers and key-values.
import type { Row } from "../rows.ts";
import { ProtoWriter } from "./proto-writer.ts";

/** Tags of the responses' fields. */
export const ResponseTag = {
  /** Field 1 of every response. */
  Header: 0x0a,
  RangeKv: 0x12,
  RangeMore: 0x18,
  RangeCount: 0x20,
  PutPrevKv: 0x12,
  DeleteDeleted: 0x10,
  DeletePrevKv: 0x1a,
  TxnSucceeded: 0x10,
  TxnResponse: 0x1a,
} as const;

/** The fields of a header that never change: cluster_id and member_id, encoded once. */
export function encodeHeaderIds(clusterId: bigint, memberId: bigint): Uint8Array {
  const writer = new ProtoWriter();
  writer.int64Halves(
    0x08,
    Number((clusterId >> 32n) & 0xffffffffn),
    Number(clusterId & 0xffffffffn),
  );
  writer.int64Halves(0x10, Number((memberId >> 32n) & 0xffffffffn), Number(memberId & 0xffffffffn));
  return writer.take();
}

/** What a header says besides the revision; null inside a transaction, where it says only that. */
export interface HeaderSource {
  readonly ids: Uint8Array;
  readonly term: number;
}

export function writeHeader(
  writer: ProtoWriter,
  source: HeaderSource | null,
  revision: number,
): void {
  const start = writer.begin(ResponseTag.Header);
  if (source !== null) writer.raw(source.ids);
  writer.uint(0x18, revision);
  if (source !== null) writer.uint(0x20, source.term);
  writer.end(start);
}

/** A live row as mvccpb.KeyValue. */
export function writeKeyValue(
  writer: ProtoWriter,
  tag: number,
  row: Row,
  withValue: boolean,
): void {
  const start = writer.begin(tag);
  writeKeyValueFields(writer, row, withValue);
  writer.end(start);
}

/** The fields alone: what etcd keeps in its backend for a row, and what HashKV hashes. */
export function writeKeyValueFields(writer: ProtoWriter, row: Row, withValue: boolean): void {
  writer.bytes(0x0a, row.key);
  if (row.tombstone) return;
  writer.uint(0x10, row.createRevision);
  writer.uint(0x18, row.main);
  writer.uint(0x20, row.version);
  if (withValue) writer.bytes(0x2a, row.value);
  writer.int64Halves(0x30, row.leaseHigh, row.leaseLow);
}
