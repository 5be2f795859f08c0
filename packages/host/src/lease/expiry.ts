// Which leases are up, and their revokes. A lease whose time is up waits until a quorum has followed this
// leader after that moment (T3), then for its turn: so many revokes a second. What is renewed meanwhile
// goes back. A revoke that stands in the log and comes to nothing (an alarm refuses it) is asked for
// again (etcd#9935).
//
// A renewal moves `expiryMs` only, not the heap: a timer that comes up too early is put back. So a
// keep-alive costs nothing here, and a lease one step in the heap for each of its times to live.
import { Heap } from "@quorate/base";
import { encodeLeaseRevoke, OperationKind, RevokeCause } from "@quorate/kv";
import type { Lease } from "@quorate/kv";
import { TimerPhase } from "./lease-timer.ts";
import type { LeaseTimer } from "./lease-timer.ts";

export interface ExpiryParts {
  readonly revokesPerSecondMax: number;
  /**
   * `done(true)`: from the call on a quorum has followed this member in its present term, in which it
   * leads.
   */
  confirm(done: (ok: boolean) => void): void;
  /** Into the own log, in the present term; false: not now. */
  propose(kind: OperationKind, record: Uint8Array): boolean;
  term(): number;
}

/** Timers looked at in one tick. */
const looksPerTickMax = 10_000;
/** Time that counts for the rate: a stall gives no right to make up for it. */
const elapsedMsMax = 100;
/** As etcd's expiredLeaseRetryInterval. */
const retryMs = 3000;

export class Expiry {
  readonly #parts: ExpiryParts;
  readonly #heap: Heap<LeaseTimer>;
  #due: LeaseTimer[];
  #confirmed: LeaseTimer[];
  #confirming: boolean;
  /** +1 with every `clear`: what was asked before is void. */
  #epoch: number;
  #lastMs: number;
  /** Parts of a revoke that are left of the rate. */
  #allowance: number;

  constructor(parts: ExpiryParts) {
    this.#parts = parts;
    this.#heap = new Heap((a, b) => a.dueMs - b.dueMs);
    this.#due = [];
    this.#confirmed = [];
    this.#confirming = false;
    this.#epoch = 0;
    this.#lastMs = 0;
    this.#allowance = 0;
  }

  add(timer: LeaseTimer): void {
    timer.dueMs = timer.expiryMs;
    this.#heap.push(timer);
  }

  /** Its lease is gone. */
  remove(timer: LeaseTimer): void {
    this.#heap.remove(timer);
    timer.gone = true;
  }

  clear(): void {
    this.#heap.clear();
    this.#due = [];
    this.#confirmed = [];
    this.#confirming = false;
    this.#epoch += 1;
  }

  tick(nowMs: number): void {
    this.#collect(nowMs);
    if (this.#due.length > 0 && !this.#confirming) this.#confirm();
    this.#revoke(nowMs);
  }

  #collect(nowMs: number): void {
    for (let looks = 0; looks < looksPerTickMax; looks += 1) {
      const first = this.#heap.peek();
      if (first === null || first.dueMs > nowMs) return;
      this.#heap.pop();
      if (first.phase === TimerPhase.Running && first.expiryMs > nowMs) {
        this.add(first);
        continue;
      }
      if (first.phase === TimerPhase.Running) first.phase = TimerPhase.Due;
      this.#due.push(first);
    }
  }

  #confirm(): void {
    const asked = this.#due;
    const epoch = this.#epoch;
    this.#due = [];
    this.#confirming = true;
    this.#parts.confirm((ok) => {
      if (epoch !== this.#epoch) return;
      this.#confirming = false;
      if (ok) this.#confirmed = this.#confirmed.concat(asked);
      else this.#due = asked.concat(this.#due);
    });
  }

  #revoke(nowMs: number): void {
    const elapsedMs = Math.min(nowMs - this.#lastMs, elapsedMsMax);
    const perMs = this.#parts.revokesPerSecondMax / 1000;
    this.#lastMs = nowMs;
    this.#allowance = Math.min(this.#allowance, 1) + elapsedMs * perMs;
    let done = 0;
    for (; done < this.#confirmed.length && this.#allowance >= 1; done += 1) {
      const timer = this.#confirmed[done]!;
      if (timer.gone) continue;
      if (timer.phase === TimerPhase.Due && timer.expiryMs > nowMs) {
        timer.phase = TimerPhase.Running;
        this.add(timer);
        continue;
      }
      if (!this.#propose(timer.lease)) break;
      timer.phase = TimerPhase.Revoking;
      timer.dueMs = nowMs + retryMs;
      this.#heap.push(timer);
      this.#allowance -= 1;
    }
    if (done > 0) this.#confirmed.splice(0, done);
  }

  #propose({ id, grantIndex }: Lease): boolean {
    const cause = RevokeCause.Expired;
    const record = encodeLeaseRevoke({ cause, id, grantIndex, term: this.#parts.term() });
    return this.#parts.propose(OperationKind.LeaseRevoke, record);
  }
}
