// Ids of leases: etcd's 64 bits, of which a client may choose any but zero. Inside they are eight latin1
// characters, the most significant first: one short string is what a map finds fastest (three times as
// fast as by sixteen digits), and their order is that of the unsigned numbers.
import type { Brand } from "@quorate/base";

export type LeaseId = Brand<string, "LeaseId">;

/** `high` and `low`: unsigned halves. */
export function leaseIdOf(high: number, low: number): LeaseId {
  return String.fromCharCode(
    high >>> 24,
    (high >>> 16) & 0xff,
    (high >>> 8) & 0xff,
    high & 0xff,
    low >>> 24,
    (low >>> 16) & 0xff,
    (low >>> 8) & 0xff,
    low & 0xff,
  ) as LeaseId;
}

/** Zero: no lease at all. */
export const noLease: LeaseId = leaseIdOf(0, 0);

export function leaseIdHigh(id: LeaseId): number {
  return wordAt(id, 0);
}

export function leaseIdLow(id: LeaseId): number {
  return wordAt(id, 4);
}

/** 16 hexadecimal digits, for people. */
export function leaseIdText(id: LeaseId): string {
  const half = (word: number): string => word.toString(16).padStart(8, "0");
  return half(leaseIdHigh(id)) + half(leaseIdLow(id));
}

function wordAt(id: LeaseId, at: number): number {
  const high = (id.charCodeAt(at) << 8) | id.charCodeAt(at + 1);
  const low = (id.charCodeAt(at + 2) << 8) | id.charCodeAt(at + 3);
  return ((high << 16) | low) >>> 0;
}
