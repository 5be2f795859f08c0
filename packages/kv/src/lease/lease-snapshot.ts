// The table of leases in a checkpoint: in the order of their grants.
//
//   u8 format, varint how many; of each: u32 high, u32 low, varint grant index, varint granted TTL in
//   seconds, varint remaining TTL in seconds (0: all of it)
import { ByteReader, ByteWriter } from "@quorate/base";
import { leasesMax, leaseTtlSecondsMax } from "./lease.ts";
import type { Lease } from "./lease.ts";
import { leaseIdOf, noLease } from "./lease-id.ts";

const format = 1;
/** Typical: two halves, an index, two times. */
const leaseBytes = 18;

export type LeaseRecord = Pick<
  Lease,
  "id" | "grantIndex" | "grantedTtlSeconds" | "remainingTtlSeconds"
>;

export function encodeLeases(leases: Iterable<Lease>, count: number): Uint8Array {
  const writer = new ByteWriter(16 + count * leaseBytes);
  writer.u8(format);
  writer.varint(count);
  for (const lease of leases) {
    writer.u32(lease.high);
    writer.u32(lease.low);
    writer.varint(lease.grantIndex);
    writer.varint(lease.grantedTtlSeconds);
    writer.varint(lease.remainingTtlSeconds);
  }
  return writer.take();
}

/** Null: not such a table. */
export function decodeLeases(bytes: Uint8Array): readonly LeaseRecord[] | null {
  const reader = new ByteReader(bytes);
  const known = reader.u8() === format;
  const count = reader.varint();
  if (!known || count > leasesMax) return null;
  const records: LeaseRecord[] = [];
  for (let left = count; left > 0 && reader.ok; left -= 1) {
    const id = leaseIdOf(reader.u32(), reader.u32());
    const grantIndex = reader.varint();
    const grantedTtlSeconds = reader.varint();
    const remainingTtlSeconds = reader.varint();
    const fits =
      id !== noLease &&
      grantedTtlSeconds > 0 &&
      grantedTtlSeconds <= leaseTtlSecondsMax &&
      remainingTtlSeconds <= grantedTtlSeconds;
    if (!fits) return null;
    records.push({ id, grantIndex, grantedTtlSeconds, remainingTtlSeconds });
  }
  return reader.ok && reader.done ? records : null;
}
