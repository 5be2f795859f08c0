// The lives of leases as the committed log has them, and when in the world's time each step was applied by
// the first member that did: what the checkers of leases judge by.
import { RevokeCause } from "@quorate/kv";
import type { LeaseOperation } from "../client/lease-history.ts";
import type { LeaseModel } from "../model/lease-model.ts";

export interface TimedLife {
  readonly lease: number;
  readonly granted: number;
  readonly ttlSeconds: number;
  readonly grantedUs: number;
  /** Infinity: it has not ended. */
  readonly endedUs: number;
  /** Its time was up; else a client ended it, or nobody. */
  readonly expired: boolean;
  readonly byClient: boolean;
}

/** `appliedUs`: by index of the entry. */
export function timedLives(
  { lives }: LeaseModel,
  appliedUs: (index: number) => number,
): readonly TimedLife[] {
  return lives.map(({ lease, granted, ttlSeconds, end }) => ({
    lease,
    granted,
    ttlSeconds,
    grantedUs: appliedUs(granted),
    endedUs: end === null ? Infinity : appliedUs(end.index),
    expired: end?.cause === RevokeCause.Expired,
    byClient: end?.cause === RevokeCause.Client,
  }));
}

/** Lives of the lease that were there at some time between the call and its return. */
export function livesDuring(
  lives: readonly TimedLife[],
  lease: number,
  { calledUs, returnedUs }: Pick<LeaseOperation, "calledUs" | "returnedUs">,
): readonly TimedLife[] {
  return lives.filter(
    (life) => life.lease === lease && life.grantedUs <= returnedUs && life.endedUs >= calledUs,
  );
}
