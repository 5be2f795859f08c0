// Ids of leases as the models know them: numbers, rounded where 64 bits do not fit. The ids of one run are
// few and drawn at random, or small: two that round to one do not come up.
import { leaseIdHigh, leaseIdLow, type LeaseId } from "@quorate/kv";

export function leaseNumber(high: number, low: number): number {
  return (high | 0) * 2 ** 32 + low;
}

export function numberOfLease(id: LeaseId): number {
  return leaseNumber(leaseIdHigh(id), leaseIdLow(id));
}
