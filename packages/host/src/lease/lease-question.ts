// One question about a lease that only the leader can answer, from its arrival to its one answer: to renew
// it, or how long it has left.
import type { LeaseId } from "@quorate/kv";
import type { Failure } from "../host-api.ts";
import type { LeaseQuestionKind } from "../peers/lease-codec.ts";

/** Exactly one of them is called, once. */
export interface LeaseSink {
  /** Renewed, or asked for: it has so long. */
  known(ttlSeconds: number, grantedTtlSeconds: number): void;
  /** There is no such lease, or none any more. */
  unknown(): void;
  failed(failure: Failure): void;
}

/** Whoever keeps account of it. */
export interface LeaseQuestionOwner {
  /** This member does not lead (any more): nothing was done. */
  lost(question: LeaseQuestion): void;
  ended(): void;
}

export class LeaseQuestion {
  readonly kind: LeaseQuestionKind;
  readonly id: LeaseId;
  readonly deadlineTick: number;
  /** By the clock of the leader, when it came there: what is renewed counts from then. */
  askedMs: number;
  /** Of the last time it was sent to the leader. */
  sentTick: number;
  sentTo: number;
  answered: boolean;
  readonly #sink: LeaseSink;
  readonly #owner: LeaseQuestionOwner;

  constructor(
    kind: LeaseQuestionKind,
    id: LeaseId,
    deadlineTick: number,
    sink: LeaseSink,
    owner: LeaseQuestionOwner,
  ) {
    this.kind = kind;
    this.id = id;
    this.deadlineTick = deadlineTick;
    this.askedMs = 0;
    this.sentTick = 0;
    this.sentTo = 0;
    this.answered = false;
    this.#sink = sink;
    this.#owner = owner;
  }

  known(ttlSeconds: number, grantedTtlSeconds: number): void {
    if (this.#finish()) this.#sink.known(ttlSeconds, grantedTtlSeconds);
  }

  unknown(): void {
    if (this.#finish()) this.#sink.unknown();
  }

  fail(failure: Failure): void {
    if (this.#finish()) this.#sink.failed(failure);
  }

  lost(): void {
    if (!this.answered) this.#owner.lost(this);
  }

  #finish(): boolean {
    if (this.answered) return false;
    this.answered = true;
    this.#owner.ended();
    return true;
  }
}
