// etcd's Lease requests, and what becomes of them before they are proposed. Read and written as etcd's generated code does (wire/proto-reader.ts). Null: the
// bytes are not such a message.
import { KvError } from "../kv-error.ts";
import { ProtoReader } from "../wire/proto-reader.ts";
import { ProtoWriter } from "../wire/proto-writer.ts";
import { leaseTtlSecondsMax } from "./lease.ts";
import type { LeaseGrantCommand } from "./lease-commands.ts";
import { leaseIdHigh, leaseIdLow, leaseIdOf, noLease } from "./lease-id.ts";
import type { LeaseId } from "./lease-id.ts";

export interface LeaseGrantRequest {
  /** As asked for; rounded beyond 2^53. */
  readonly ttlSeconds: number;
  /** `noLease`: the server chooses. */
  readonly id: LeaseId;
}

export interface LeaseTimeToLiveRequest {
  readonly id: LeaseId;
  readonly keys: boolean;
}

export function decodeLeaseGrantRequest(bytes: Uint8Array): LeaseGrantRequest | null {
  const reader = new ProtoReader(bytes);
  const request = { ttlSeconds: 0, id: noLease };
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag === 0x08) request.ttlSeconds = reader.int64();
    else if (tag === 0x10) request.id = readLeaseId(reader);
    else reader.unknown(tag, 2);
  }
  return reader.ok ? request : null;
}

export function encodeLeaseGrantRequest({ ttlSeconds, id }: LeaseGrantRequest): Uint8Array {
  const writer = new ProtoWriter();
  writer.int64(0x08, ttlSeconds);
  writer.int64Halves(0x10, leaseIdHigh(id), leaseIdLow(id));
  return writer.take();
}

/**
 * What is proposed for a request to grant. `ttlSecondsMin`: of the member that is asked, which raises
 * what is less; so apply depends on no setting. `freshId`: for a client that leaves the choice.
 */
export function grantCommandOf(
  { ttlSeconds, id }: LeaseGrantRequest,
  ttlSecondsMin: number,
  freshId: () => LeaseId,
): LeaseGrantCommand | KvError {
  if (ttlSeconds > leaseTtlSecondsMax) return KvError.LeaseTtlTooLarge;
  const raised = Math.max(ttlSeconds, ttlSecondsMin);
  return { id: id === noLease ? freshId() : id, ttlSeconds: raised };
}

/** Of LeaseRevoke and of LeaseKeepAlive, which have the same shape. */
export function decodeLeaseIdRequest(bytes: Uint8Array): LeaseId | null {
  const reader = new ProtoReader(bytes);
  let id = noLease;
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag === 0x08) id = readLeaseId(reader);
    else reader.unknown(tag, 1);
  }
  return reader.ok ? id : null;
}

export function encodeLeaseIdRequest(id: LeaseId): Uint8Array {
  const writer = new ProtoWriter();
  writer.int64Halves(0x08, leaseIdHigh(id), leaseIdLow(id));
  return writer.take();
}

export function decodeLeaseTimeToLiveRequest(bytes: Uint8Array): LeaseTimeToLiveRequest | null {
  const reader = new ProtoReader(bytes);
  const request = { id: noLease, keys: false };
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag === 0x08) request.id = readLeaseId(reader);
    else if (tag === 0x10) request.keys = reader.bool();
    else reader.unknown(tag, 2);
  }
  return reader.ok ? request : null;
}

export function encodeLeaseTimeToLiveRequest(request: LeaseTimeToLiveRequest): Uint8Array {
  const writer = new ProtoWriter();
  writer.int64Halves(0x08, leaseIdHigh(request.id), leaseIdLow(request.id));
  writer.bool(0x10, request.keys);
  return writer.take();
}

/** A request without fields. */
export function isLeaseLeasesRequest(bytes: Uint8Array): boolean {
  const reader = new ProtoReader(bytes);
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) reader.unknown(tag, 0);
  return reader.ok;
}

export function readLeaseId(reader: ProtoReader): LeaseId {
  const low = reader.int64Low();
  return leaseIdOf(reader.high, low);
}
