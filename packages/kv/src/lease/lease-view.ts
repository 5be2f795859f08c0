// The leases as whoever keeps their time sees them (host/src/lease): to look into, and to listen to.
import type { Lease } from "./lease.ts";
import type { LeaseId } from "./lease-id.ts";

/** What apply does to leases, told while it does it: whoever listens only takes note. */
export interface LeaseObserver {
  granted(lease: Lease): void;
  checkpointed(lease: Lease): void;
  revoked(lease: Lease): void;
  /** All that was known is void: another state takes its place. */
  replaced(): void;
}

/** Changed by apply alone. */
export interface LeaseView {
  readonly size: number;
  get(id: LeaseId): Lease | null;
  /** In the order of their grants. */
  all(): IterableIterator<Lease>;
  observer: LeaseObserver | null;
}
