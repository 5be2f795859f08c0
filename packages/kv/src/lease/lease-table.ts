// The replicated table of leases: changed by apply alone, so equal on all members. Which keys are
// attached is not part of it: each live row says whose it is (as in etcd's backend), so a table beside
// them could only disagree; the scan of a start shows every row anyway, and attaches them on its way.
import { assert } from "@quorate/base";
import { Hasher } from "../digest.ts";
import { KvError } from "../kv-error.ts";
import { LiveDigest } from "../mvcc/live-digest.ts";
import type { ReplicatedTable } from "../table.ts";
import { Lease, leasesMax } from "./lease.ts";
import { leaseIdOf } from "./lease-id.ts";
import type { LeaseId } from "./lease-id.ts";
import { decodeLeases, encodeLeases } from "./lease-snapshot.ts";
import type { LeaseObserver, LeaseView } from "./lease-view.ts";

const PURPOSE_LEASE = 6;

/** In place of a lease's number: a row of the scan whose lease is gone, as its key will be. */
const unknownNumber = 0xffffffff;

export class LeaseTable implements ReplicatedTable, LeaseView {
  readonly name: string;
  observer: LeaseObserver | null;
  /** In the order of their grants, which all members share. */
  readonly #byId: Map<LeaseId, Lease>;
  /** Index 0 is nobody's. */
  readonly #byNumber: (Lease | null)[];
  readonly #freeNumbers: number[];
  readonly #countMax: number;
  readonly #digest: LiveDigest;
  readonly #hasher: Hasher;
  /** Live rows whose lease is unknown; above 0 only while the rows are scanned. */
  #orphans: number;

  /** `countMax`: equal on all members; tests take less. */
  constructor(countMax: number = leasesMax) {
    this.name = "leases";
    this.#countMax = countMax;
    this.observer = null;
    this.#byId = new Map();
    this.#byNumber = [null];
    this.#freeNumbers = [];
    this.#digest = new LiveDigest();
    this.#hasher = new Hasher();
    this.#orphans = 0;
  }

  get size(): number {
    return this.#byId.size;
  }

  get(id: LeaseId): Lease | null {
    return this.#byId.get(id) ?? null;
  }

  all(): IterableIterator<Lease> {
    return this.#byId.values();
  }

  // ---- What entries do ------------------------------------------------------------------------------

  grant(id: LeaseId, ttlSeconds: number, index: number): KvError {
    if (this.#byId.has(id)) return KvError.LeaseExists;
    if (this.#byId.size >= this.#countMax) return KvError.TooManyLeases;
    const lease = this.#make(id, index, ttlSeconds, 0);
    this.observer?.granted(lease);
    return KvError.None;
  }

  /** 0: nothing of it has gone by. */
  checkpoint(lease: Lease, remainingTtlSeconds: number): void {
    this.#count(lease, false);
    lease.remainingTtlSeconds = remainingTtlSeconds;
    this.#count(lease, true);
    this.observer?.checkpointed(lease);
  }

  /** Its keys have been deleted. */
  remove(lease: Lease): void {
    assert(lease.slots.size === 0, "LeaseTable.remove: keys are attached");
    assert(this.#byId.get(lease.id) === lease, "LeaseTable.remove: not in the table");
    this.#count(lease, false);
    this.#byId.delete(lease.id);
    this.#byNumber[lease.number] = null;
    this.#freeNumbers.push(lease.number);
    this.observer?.revoked(lease);
  }

  /** A state of long ago goes on: nobody knows how much has gone by. */
  rearm(): void {
    for (const lease of this.#byId.values()) {
      if (lease.remainingTtlSeconds > 0) this.checkpoint(lease, 0);
    }
  }

  // ---- What rows do ---------------------------------------------------------------------------------

  /** The live row of the slot carries that lease; its number, for `detach`. */
  attach(high: number, low: number, slot: number): number {
    const lease = this.get(leaseIdOf(high, low));
    if (lease === null) {
      this.#orphans++;
      return unknownNumber;
    }
    lease.slots.add(slot);
    return lease.number;
  }

  detach(number: number, slot: number): void {
    if (number === unknownNumber) {
      this.#orphans--;
      return;
    }
    const lease = this.#byNumber[number]!;
    assert(lease !== null, "LeaseTable.detach: no lease has that number");
    const was = lease.slots.delete(slot);
    assert(was, "LeaseTable.detach: the key was not attached");
  }

  /** Every live row's lease is there: so it must be whenever no scan is under way. */
  get complete(): boolean {
    return this.#orphans === 0;
  }

  // ---- As a table -----------------------------------------------------------------------------------

  /** Zero without leases: states from before there were any keep their digest. */
  digest(): { readonly low: number; readonly high: number } {
    const { low, high } = this.#digest;
    return { low, high };
  }

  snapshot(): Uint8Array {
    return encodeLeases(this.#byId.values(), this.#byId.size);
  }

  restore(bytes: Uint8Array): boolean {
    const records = decodeLeases(bytes);
    if (records === null) return false;
    this.clear();
    for (const { id, grantIndex, grantedTtlSeconds, remainingTtlSeconds } of records) {
      if (this.#byId.has(id)) return false;
      this.#make(id, grantIndex, grantedTtlSeconds, remainingTtlSeconds);
    }
    return true;
  }

  clear(): void {
    this.#byId.clear();
    this.#byNumber.length = 1;
    this.#freeNumbers.length = 0;
    this.#digest.clear();
    this.#orphans = 0;
    this.observer?.replaced();
  }

  #make(id: LeaseId, grantIndex: number, ttlSeconds: number, remaining: number): Lease {
    const number = this.#freeNumbers.pop() ?? this.#byNumber.length;
    const lease = new Lease(id, grantIndex, ttlSeconds, number);
    lease.remainingTtlSeconds = remaining;
    this.#byId.set(id, lease);
    this.#byNumber[number] = lease;
    this.#count(lease, true);
    return lease;
  }

  #count(lease: Lease, present: boolean): void {
    const hasher = this.#hasher;
    hasher.reset(PURPOSE_LEASE);
    hasher.word(lease.high);
    hasher.word(lease.low);
    hasher.number(lease.grantIndex);
    hasher.number(lease.grantedTtlSeconds);
    hasher.number(lease.remainingTtlSeconds);
    hasher.finish();
    if (present) this.#digest.add(hasher.low, hasher.high);
    else this.#digest.remove(hasher.low, hasher.high);
  }
}
