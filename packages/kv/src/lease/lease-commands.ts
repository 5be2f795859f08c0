// What entries of the kinds LeaseGrant, LeaseRevoke and LeaseCheckpoint carry behind the envelope, on
// disk and between members. Ids are chosen, and times raised to the least that is granted, before they
// are proposed (DESIGN.md 10).
import { ByteReader, ByteWriter } from "@quorate/base";
import { leaseTtlSecondsMax } from "./lease.ts";
import { leaseIdHigh, leaseIdLow, leaseIdOf, noLease } from "./lease-id.ts";
import type { LeaseId } from "./lease-id.ts";

const format = 1;

export interface LeaseGrantCommand {
  readonly id: LeaseId;
  readonly ttlSeconds: number;
}

/** On disk: never reuse. */
export const RevokeCause = {
  /** A client asks: whatever stands under that id ends. */
  Client: 1,
  /** Its time is up by the clock of a leader. */
  Expired: 2,
} as const;
export type RevokeCause = (typeof RevokeCause)[keyof typeof RevokeCause];

/**
 * One that has expired is named exactly, because its lessor may be mistaken by the time the entry is
 * applied (T3): `grantIndex` tells it from a later lease under the same id; `term` is that of the
 * leader who judged it, and the entry is void under any other (etcd#12528, #15247: an old leader's
 * revoke, carried to the new one, ended leases that had been renewed there).
 */
export type LeaseRevokeCommand =
  | { readonly cause: typeof RevokeCause.Client; readonly id: LeaseId }
  | {
      readonly cause: typeof RevokeCause.Expired;
      readonly id: LeaseId;
      readonly grantIndex: number;
      readonly term: number;
    };

export interface LeaseRemainder {
  readonly id: LeaseId;
  readonly grantIndex: number;
  /** 0: nothing has gone by; it was renewed. */
  readonly remainingTtlSeconds: number;
}

export interface LeaseCheckpointCommand {
  /** Of the leader that measured it; void under any other. */
  readonly term: number;
  readonly remainders: readonly LeaseRemainder[];
}

/** In one entry, as in etcd. */
export const remaindersMax = 1000;

export function encodeLeaseGrant({ id, ttlSeconds }: LeaseGrantCommand): Uint8Array {
  const writer = new ByteWriter(24);
  writer.u8(format);
  writeId(writer, id);
  writer.varint(ttlSeconds);
  return writer.take();
}

/** `bytes` from `at` on; null: not such a command. */
export function decodeLeaseGrant(bytes: Uint8Array, at: number = 0): LeaseGrantCommand | null {
  const reader = new ByteReader(bytes.subarray(at));
  const known = reader.u8() === format;
  const id = readId(reader);
  const ttlSeconds = reader.varint();
  if (!known || !reader.ok || !reader.done || id === noLease) return null;
  return ttlSeconds >= 1 && ttlSeconds <= leaseTtlSecondsMax ? { id, ttlSeconds } : null;
}

export function encodeLeaseRevoke(command: LeaseRevokeCommand): Uint8Array {
  const writer = new ByteWriter(32);
  writer.u8(format);
  writer.u8(command.cause);
  writeId(writer, command.id);
  if (command.cause === RevokeCause.Expired) {
    writer.varint(command.grantIndex);
    writer.varint(command.term);
  }
  return writer.take();
}

export function decodeLeaseRevoke(bytes: Uint8Array, at: number = 0): LeaseRevokeCommand | null {
  const reader = new ByteReader(bytes.subarray(at));
  const known = reader.u8() === format;
  const cause = reader.u8();
  const id = readId(reader);
  const isExpired = cause === RevokeCause.Expired;
  const grantIndex = isExpired ? reader.varint() : 0;
  const term = isExpired ? reader.varint() : 0;
  if (!known || !reader.ok || !reader.done) return null;
  if (isExpired) return { cause: RevokeCause.Expired, id, grantIndex, term };
  return cause === RevokeCause.Client ? { cause: RevokeCause.Client, id } : null;
}

export function encodeLeaseCheckpoint(command: LeaseCheckpointCommand): Uint8Array {
  const writer = new ByteWriter(16 + command.remainders.length * 16);
  writer.u8(format);
  writer.varint(command.term);
  writer.varint(command.remainders.length);
  for (const { id, grantIndex, remainingTtlSeconds } of command.remainders) {
    writeId(writer, id);
    writer.varint(grantIndex);
    writer.varint(remainingTtlSeconds);
  }
  return writer.take();
}

export function decodeLeaseCheckpoint(
  bytes: Uint8Array,
  at: number = 0,
): LeaseCheckpointCommand | null {
  const reader = new ByteReader(bytes.subarray(at));
  const known = reader.u8() === format;
  const term = reader.varint();
  const count = reader.varint();
  if (!known || !reader.ok || count > remaindersMax) return null;
  const remainders: LeaseRemainder[] = [];
  for (let left = count; left > 0 && reader.ok; left -= 1) {
    const id = readId(reader);
    const grantIndex = reader.varint();
    remainders.push({ id, grantIndex, remainingTtlSeconds: reader.varint() });
  }
  return reader.ok && reader.done ? { term, remainders } : null;
}

function writeId(writer: ByteWriter, id: LeaseId): void {
  writer.u32(leaseIdHigh(id));
  writer.u32(leaseIdLow(id));
}

function readId(reader: ByteReader): LeaseId {
  return leaseIdOf(reader.u32(), reader.u32());
}
