// One lease as the log has it: what it was granted, and what a checkpoint has said since. When it ends
// is not here: that is the lessor's, by its own clock (host/src/lease).
import { leaseIdHigh, leaseIdLow } from "./lease-id.ts";
import type { LeaseId } from "./lease-id.ts";

export class Lease {
  readonly id: LeaseId;
  /** Index of the entry that granted it. Ids come again; with it this very lease is meant. */
  readonly grantIndex: number;
  readonly grantedTtlSeconds: number;
  /** What was left when the newest checkpoint was taken; 0: all of it. Moved by apply alone. */
  remainingTtlSeconds: number;
  /** Slots of the key index (mvcc/key-slots.ts) whose live rows carry it. */
  readonly slots: Set<number>;
  /** By which the key index knows it; reused. Not the same on all members. */
  readonly number: number;

  constructor(id: LeaseId, grantIndex: number, grantedTtlSeconds: number, number: number) {
    this.id = id;
    this.grantIndex = grantIndex;
    this.grantedTtlSeconds = grantedTtlSeconds;
    this.remainingTtlSeconds = 0;
    this.slots = new Set();
    this.number = number;
  }

  get high(): number {
    return leaseIdHigh(this.id);
  }

  get low(): number {
    return leaseIdLow(this.id);
  }

  /** What a new leader owes it. */
  get owedTtlSeconds(): number {
    return this.remainingTtlSeconds === 0 ? this.grantedTtlSeconds : this.remainingTtlSeconds;
  }
}

/** etcd's bound. */
export const leaseTtlSecondsMax = 9_000_000_000;
/** reliability.md §6.4; etcd has neither. */
export const leasesMax = 1_000_000;
export const leaseKeysMax = 100_000;
