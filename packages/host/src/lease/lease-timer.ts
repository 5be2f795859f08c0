// The time of one lease, as the lessor of the leader keeps it. All times are monotonic milliseconds of
// this process.
import type { Lease } from "@quorate/kv";
import type { LeaseQuestion } from "./lease-question.ts";

export const TimerPhase = {
  Running: 1,
  /** Its time is up: it waits for the word of a quorum, then for its turn. May yet be renewed. */
  Due: 2,
  /** Its revoke stands in the log: nobody can renew it any more. */
  Revoking: 3,
} as const;
export type TimerPhase = (typeof TimerPhase)[keyof typeof TimerPhase];

/** Who waits for one lease; past it the next hears that there are too many. */
const waitingMax = 64;

export class LeaseTimer {
  readonly lease: Lease;
  /** Not revoked before. Only ever moved on. */
  expiryMs: number;
  /** Since when no part of its time was given back: granted, renewed, or taken over. */
  renewedMs: number;
  phase: TimerPhase;
  /** The lease has ended: whoever still holds the timer passes over it. */
  gone: boolean;
  /** Where it stands in the heap of expiries: ≤ expiryMs, or when its revoke is asked for again. */
  dueMs: number;
  /** Where it stands in the heap of remainders. */
  remainderMs: number;
  /** What the log says once all that was proposed is applied; 0: nothing of it has gone by. */
  loggedTtlSeconds: number;
  /** Remainders proposed and not yet applied. */
  remaindersInFlight: number;
  /** Renewals that came too late: they hear when it has ended. */
  readonly ending: LeaseQuestion[];
  /** Renewals that are not safe before the log has forgotten a remainder. */
  readonly clearing: LeaseQuestion[];

  constructor(lease: Lease, nowMs: number) {
    this.lease = lease;
    this.expiryMs = nowMs + lease.owedTtlSeconds * 1000;
    this.renewedMs = nowMs;
    this.phase = TimerPhase.Running;
    this.gone = false;
    this.dueMs = this.expiryMs;
    this.remainderMs = 0;
    this.loggedTtlSeconds = lease.remainingTtlSeconds;
    this.remaindersInFlight = 0;
    this.ending = [];
    this.clearing = [];
  }

  /** The log knows of no time that has gone by, nor will it. */
  get isWhole(): boolean {
    return this.remaindersInFlight === 0 && this.lease.remainingTtlSeconds === 0;
  }
}

/** False: too many wait. Those whose time was up meanwhile make room. */
export function waitWith(waiting: LeaseQuestion[], question: LeaseQuestion): boolean {
  if (waiting.length >= waitingMax) {
    const still = waiting.filter(({ answered }) => !answered);
    waiting.splice(0, waiting.length, ...still);
  }
  if (waiting.length >= waitingMax) return false;
  waiting.push(question);
  return true;
}
