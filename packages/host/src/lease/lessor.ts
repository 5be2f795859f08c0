// The keeper of leases (etcd's lessor): it is one only while its member leads, and knows time only by its
// own monotonic clock. What makes it safe:
//
// - It takes office when a quorum has followed it in its term and all entries before are applied; then
//   every lease has the time that the log owes it, counted from that moment. An earlier leader's revoke
//   is applied by then, or will never be.
// - It renews only when a quorum has followed it after the client asked, and counts from when it was
//   asked. A later leader has taken office after that, and owes at least as much from then on: T1.
// - It revokes only what a quorum's word after the end allows (expiry.ts), by an entry that is void in
//   any other term and for any other lease of that id: T3.
// - A member that does not lead any more has no timers.
//
// So a stall, however long, makes nothing wrong: what is judged after it is confirmed after it.
import { leaseIdText } from "@quorate/kv";
import type { KvApi, Lease, LeaseId, LeaseObserver } from "@quorate/kv";
import type { RaftApi } from "@quorate/raft";
import type { Clock, Trace } from "@quorate/storage";
import { FailureCode } from "../host-api.ts";
import { LeaseQuestionKind } from "../peers/lease-codec.ts";
import { failure } from "../proposals.ts";
import { Expiry } from "./expiry.ts";
import type { ExpiryParts } from "./expiry.ts";
import type { LeaseQuestion } from "./lease-question.ts";
import { LeaseTimer, TimerPhase, waitWith } from "./lease-timer.ts";
import { Remainders } from "./remainders.ts";

export interface LessorParts {
  readonly clock: Pick<Clock, "monotonicMs">;
  readonly raft: Pick<RaftApi, "isLeader" | "term">;
  readonly leases: KvApi["leases"];
  readonly trace: Trace;
  readonly remainderIntervalMs: number;
  readonly revokesPerSecondMax: number;
  /**
   * A linearizable read of nothing: `done(true)` when a quorum of a leader's, perhaps not this one,
   * has followed it since the call, and this member has applied what was committed by then.
   */
  readBarrier(done: (ok: boolean) => void): void;
  readonly propose: ExpiryParts["propose"];
}

export class Lessor implements LeaseObserver {
  readonly #parts: LessorParts;
  readonly #timers: Map<LeaseId, LeaseTimer>;
  readonly #expiry: Expiry;
  readonly #remainders: Remainders;
  /** In which it keeps the leases; 0: it does not. */
  #term: number;
  /** In which it has asked for a quorum's word; 0: it has not. */
  #askedTerm: number;

  constructor(parts: LessorParts) {
    this.#parts = parts;
    this.#timers = new Map();
    const term = (): number => this.#term;
    const { revokesPerSecondMax, propose } = parts;
    this.#expiry = new Expiry({
      revokesPerSecondMax,
      confirm: (done) => this.confirm(done),
      propose,
      term,
    });
    this.#remainders = new Remainders({ intervalMs: parts.remainderIntervalMs, propose, term });
    this.#term = 0;
    this.#askedTerm = 0;
  }

  /** Leads, and keeps the time of every lease. */
  get inOffice(): boolean {
    return this.#term !== 0 && this.#leadsIn(this.#term);
  }

  /**
   * `done(true)`: this member leads in the term in which it was asked, a quorum has followed it since,
   * and it is in office.
   */
  confirm(done: (ok: boolean) => void): void {
    const term = this.#parts.raft.term();
    if (!this.#parts.raft.isLeader()) return done(false);
    this.#parts.readBarrier((ok) => {
      const leads = ok && this.#leadsIn(term);
      if (leads) this.#takeOffice(term);
      done(leads);
    });
  }

  tick(): void {
    const { raft, clock } = this.#parts;
    if (!raft.isLeader()) return this.#leaveOffice();
    const term = raft.term();
    if (this.#term !== term) {
      this.#leaveOffice();
      if (this.#askedTerm === term) return;
      this.#askedTerm = term;
      this.confirm((ok) => {
        if (!ok && this.#askedTerm === term) this.#askedTerm = 0;
      });
      return;
    }
    const nowMs = clock.monotonicMs();
    this.#expiry.tick(nowMs);
    this.#remainders.tick(nowMs);
  }

  // ---- Questions ------------------------------------------------------------------------------------

  /** In a `confirm` that was asked at `question.askedMs` or later, and went well. */
  answer(question: LeaseQuestion): void {
    const timer = this.#timers.get(question.id);
    if (timer === undefined) return question.unknown();
    if (question.kind === LeaseQuestionKind.Renew) return this.#renew(timer, question);
    question.known(this.#secondsLeft(timer), timer.lease.grantedTtlSeconds);
  }

  #renew(timer: LeaseTimer, question: LeaseQuestion): void {
    const { grantedTtlSeconds } = timer.lease;
    const tooLate = timer.phase === TimerPhase.Revoking || question.askedMs >= timer.expiryMs;
    if (tooLate) return wait(timer.ending, question);
    timer.renewedMs = question.askedMs;
    timer.expiryMs = Math.max(timer.expiryMs, question.askedMs + grantedTtlSeconds * 1000);
    if (this.#remainders.renewed(timer)) question.known(grantedTtlSeconds, grantedTtlSeconds);
    else wait(timer.clearing, question);
  }

  #secondsLeft({ expiryMs }: LeaseTimer): number {
    return Math.max(0, Math.floor((expiryMs - this.#parts.clock.monotonicMs()) / 1000));
  }

  /** When the lease will end, by this process's clock; null: not known here. */
  expiryMs(id: LeaseId): number | null {
    return this.inOffice ? (this.#timers.get(id)?.expiryMs ?? null) : null;
  }

  // ---- What apply does --------------------------------------------------------------------------------

  granted(lease: Lease): void {
    if (this.#term !== 0) this.#keep(lease, this.#parts.clock.monotonicMs());
  }

  checkpointed(lease: Lease): void {
    const timer = this.#timers.get(lease.id);
    if (timer === undefined) return;
    this.#remainders.applied(timer);
    if (!timer.isWhole) return;
    const { grantedTtlSeconds } = lease;
    for (const question of timer.clearing.splice(0)) {
      question.known(grantedTtlSeconds, grantedTtlSeconds);
    }
  }

  revoked(lease: Lease): void {
    const timer = this.#timers.get(lease.id);
    if (timer === undefined) return;
    this.#timers.delete(lease.id);
    this.#expiry.remove(timer);
    this.#remainders.remove(timer);
    if (timer.phase === TimerPhase.Revoking) {
      this.#parts.trace.debug("lease expired", { lease: leaseIdText(lease.id) });
    }
    for (const question of [...timer.ending, ...timer.clearing]) question.unknown();
  }

  replaced(): void {
    this.#leaveOffice();
  }

  // ---- Office -----------------------------------------------------------------------------------------

  #leadsIn(term: number): boolean {
    const { raft } = this.#parts;
    return raft.isLeader() && raft.term() === term;
  }

  #takeOffice(term: number): void {
    if (this.#term === term) return;
    this.#leaveOffice();
    this.#term = term;
    const nowMs = this.#parts.clock.monotonicMs();
    for (const lease of this.#parts.leases.all()) this.#keep(lease, nowMs);
  }

  #leaveOffice(): void {
    if (this.#term === 0) return;
    const timers = [...this.#timers.values()];
    this.#term = 0;
    this.#askedTerm = 0;
    this.#timers.clear();
    this.#expiry.clear();
    this.#remainders.clear();
    for (const { ending, clearing } of timers) {
      for (const question of [...ending, ...clearing]) question.lost();
    }
  }

  #keep(lease: Lease, nowMs: number): void {
    const timer = new LeaseTimer(lease, nowMs);
    this.#timers.set(lease.id, timer);
    this.#expiry.add(timer);
    this.#remainders.add(timer);
  }
}

function wait(waiting: LeaseQuestion[], question: LeaseQuestion): void {
  if (!waitWith(waiting, question)) question.fail(failure(FailureCode.TooManyRequests));
}
