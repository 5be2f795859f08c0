// etcd's Lease responses. `header` is the encoded field 1 of the message (KvApi.responseHeader), which a
// keep-alive takes before it renews.
import { ProtoReader } from "../wire/proto-reader.ts";
import { ProtoWriter } from "../wire/proto-writer.ts";
import { readHeader } from "../wire/decode-response.ts";
import { ResponseTag } from "../wire/encode-response.ts";
import type { ResponseHeader } from "../wire/response.ts";
import { leaseIdHigh, leaseIdLow, noLease } from "./lease-id.ts";
import type { LeaseId } from "./lease-id.ts";
import { readLeaseId } from "./lease-requests.ts";

/** Fields of LeaseGrantResponse and LeaseKeepAliveResponse behind the header. */
export function writeIdAndTtl(writer: ProtoWriter, id: LeaseId, ttlSeconds: number): void {
  writer.int64Halves(0x10, leaseIdHigh(id), leaseIdLow(id));
  writer.int64(0x18, ttlSeconds);
}

/** `ttlSeconds` 0: there is no such lease. */
export function encodeKeepAliveResponse(
  header: Uint8Array,
  id: LeaseId,
  ttlSeconds: number,
): Uint8Array {
  const writer = new ProtoWriter();
  writer.raw(header);
  writeIdAndTtl(writer, id, ttlSeconds);
  return writer.take();
}

export function encodeTimeToLiveResponse(
  header: Uint8Array,
  id: LeaseId,
  ttlSeconds: number,
  grantedTtlSeconds: number,
  keys: readonly Uint8Array[],
): Uint8Array {
  const writer = new ProtoWriter();
  writer.raw(header);
  writeIdAndTtl(writer, id, ttlSeconds);
  writer.uint(0x20, grantedTtlSeconds);
  for (const key of keys) writer.presentBytes(0x2a, key);
  return writer.take();
}

export function encodeLeasesResponse(header: Uint8Array, ids: readonly LeaseId[]): Uint8Array {
  const writer = new ProtoWriter();
  writer.raw(header);
  for (const id of ids) {
    const start = writer.begin(0x12);
    writer.int64Halves(0x08, leaseIdHigh(id), leaseIdLow(id));
    writer.end(start);
  }
  return writer.take();
}

// ---- For whoever asks a cluster ------------------------------------------------------------------------

/** Of any Lease call: what it does not have is left empty. */
export interface LeaseResponse {
  readonly header: ResponseHeader | null;
  readonly id: LeaseId;
  readonly ttlSeconds: number;
  readonly grantedTtlSeconds: number;
  readonly keys: readonly Uint8Array[];
}

/** Of LeaseGrant, LeaseRevoke, LeaseKeepAlive or LeaseTimeToLive. */
export function decodeLeaseResponse(bytes: Uint8Array): LeaseResponse | null {
  const reader = new ProtoReader(bytes);
  const keys: Uint8Array[] = [];
  let header: ResponseHeader | null = null;
  const response = { id: noLease, ttlSeconds: 0, grantedTtlSeconds: 0 };
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag === ResponseTag.Header) header = readHeader(reader);
    else if (tag === 0x10) response.id = readLeaseId(reader);
    else if (tag === 0x18) response.ttlSeconds = reader.int64();
    else if (tag === 0x20) response.grantedTtlSeconds = reader.int64();
    else if (tag === 0x2a) keys.push(reader.bytes());
    else reader.skip(tag);
  }
  return reader.ok ? { header, keys, ...response } : null;
}

export function decodeLeasesResponse(bytes: Uint8Array): readonly LeaseId[] | null {
  const reader = new ProtoReader(bytes);
  const ids: LeaseId[] = [];
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag !== 0x12) {
      reader.skip(tag);
      continue;
    }
    const outer = reader.enter();
    for (let inner = reader.tag(); inner !== 0; inner = reader.tag()) {
      if (inner === 0x08) ids.push(readLeaseId(reader));
      else reader.skip(inner);
    }
    reader.leave(outer);
  }
  return reader.ok ? ids : null;
}
