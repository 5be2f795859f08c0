// What the log knows of the time that has gone by. Now and then the leader writes what long leases have
// left, down to the end (etcd stops one interval before it), so that a change of leaders does not give
// them all of it back for ever. A lease that is renewed
// after that is whole again, and the log must know it before the client does: the next leader would
// end it too early.
import { Heap } from "@quorate/base";
import { encodeLeaseCheckpoint, OperationKind, remaindersMax } from "@quorate/kv";
import type { LeaseRemainder } from "@quorate/kv";
import { TimerPhase } from "./lease-timer.ts";
import type { LeaseTimer } from "./lease-timer.ts";

export interface RemaindersParts {
  /** A lease that was granted for more than this, and not renewed for so long, is written down. */
  readonly intervalMs: number;
  propose(kind: OperationKind, record: Uint8Array): boolean;
  term(): number;
}

/** From an attempt for which there was no room to the next. */
const retryMs = 1000;

export class Remainders {
  readonly #parts: RemaindersParts;
  readonly #heap: Heap<LeaseTimer>;
  /** Renewed, and the log could not be told yet. */
  #unclear: LeaseTimer[];

  constructor(parts: RemaindersParts) {
    this.#parts = parts;
    this.#heap = new Heap((a, b) => a.remainderMs - b.remainderMs);
    this.#unclear = [];
  }

  add(timer: LeaseTimer): void {
    const { intervalMs } = this.#parts;
    if (timer.lease.grantedTtlSeconds * 1000 <= intervalMs) return;
    this.#push(timer, timer.renewedMs + intervalMs);
  }

  remove(timer: LeaseTimer): void {
    this.#heap.remove(timer);
  }

  clear(): void {
    this.#heap.clear();
    this.#unclear = [];
  }

  /** It has been renewed. True: the log says nothing else, and the client may hear it. */
  renewed(timer: LeaseTimer): boolean {
    if (timer.loggedTtlSeconds !== 0 && !this.#forget(timer)) this.#unclear.push(timer);
    return timer.isWhole;
  }

  /** One of its remainders has been applied. */
  applied(timer: LeaseTimer): void {
    timer.remaindersInFlight = Math.max(0, timer.remaindersInFlight - 1);
  }

  tick(nowMs: number): void {
    const unclear = this.#unclear;
    if (unclear.length > 0) {
      this.#unclear = [];
      for (const timer of unclear) if (!timer.gone) this.renewed(timer);
    }
    const due = this.#collect(nowMs);
    if (due.length === 0) return;
    const remainders = due.map((timer) => remainderOf(timer, nowMs));
    const done = this.#propose(due, remainders);
    for (const timer of due) this.#push(timer, nowMs + (done ? this.#parts.intervalMs : retryMs));
  }

  #collect(nowMs: number): LeaseTimer[] {
    const { intervalMs } = this.#parts;
    const due: LeaseTimer[] = [];
    for (let looks = 0; looks < remaindersMax; looks += 1) {
      const first = this.#heap.peek();
      if (first === null || first.remainderMs > nowMs) break;
      this.#heap.pop();
      const isOld = nowMs - first.renewedMs >= intervalMs;
      const isLeft = first.expiryMs > nowMs;
      const isFree = first.phase === TimerPhase.Running && first.clearing.length === 0;
      if (!isOld) this.#push(first, first.renewedMs + intervalMs);
      else if (isLeft && isFree) due.push(first);
      else this.#push(first, nowMs + intervalMs);
    }
    return due;
  }

  #forget(timer: LeaseTimer): boolean {
    const { id, grantIndex } = timer.lease;
    return this.#propose([timer], [{ id, grantIndex, remainingTtlSeconds: 0 }]);
  }

  #propose(timers: readonly LeaseTimer[], remainders: readonly LeaseRemainder[]): boolean {
    const record = encodeLeaseCheckpoint({ term: this.#parts.term(), remainders });
    if (!this.#parts.propose(OperationKind.LeaseCheckpoint, record)) return false;
    timers.forEach((timer, at) => {
      timer.loggedTtlSeconds = remainders[at]!.remainingTtlSeconds;
      timer.remaindersInFlight += 1;
    });
    return true;
  }

  #push(timer: LeaseTimer, atMs: number): void {
    timer.remainderMs = atMs;
    this.#heap.push(timer);
  }
}

/** Rounded up: never early. */
function remainderOf({ lease, expiryMs }: LeaseTimer, nowMs: number): LeaseRemainder {
  const seconds = Math.ceil((expiryMs - nowMs) / 1000);
  const remainingTtlSeconds = Math.min(seconds, lease.grantedTtlSeconds);
  return { id: lease.id, grantIndex: lease.grantIndex, remainingTtlSeconds };
}
