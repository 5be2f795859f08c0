// Who waits for which entry. A waiter is bound to (index, term): the reply is right only for exactly
// that entry; another term at that index means the proposal can never commit (DESIGN.md 22).
import { assert } from "@quorate/base";
import { KvError } from "@quorate/kv";
import { Failure, FailureCode } from "./host-api.ts";
import type { ReplySink } from "./host-api.ts";
import type { MemberError } from "./members/members-change.ts";

/** A client write from its arrival to its one answer. */
export class Waiter {
  readonly kind: number;
  readonly payload: Uint8Array;
  readonly sink: ReplySink;
  readonly deadlineTick: number;
  /** Of the entry it waits for; 0 until it has one. */
  index: number;
  term: number;
  /** Since when it waits for a place in the log; of no meaning where there was one at once. */
  queuedMs: number;
  answered: boolean;

  constructor(kind: number, payload: Uint8Array, sink: ReplySink, deadlineTick: number) {
    this.kind = kind;
    this.payload = payload;
    this.sink = sink;
    this.deadlineTick = deadlineTick;
    this.index = 0;
    this.term = 0;
    this.queuedMs = 0;
    this.answered = false;
  }
}

export const noMissing: readonly string[] = [];

export function failure(code: FailureCode, missing: readonly string[] = noMissing): Failure {
  return new Failure(code, KvError.None, missing);
}

export function kvFailure(error: KvError): Failure {
  return new Failure(FailureCode.Kv, error, noMissing);
}

export function memberFailure(error: MemberError): Failure {
  return new Failure(FailureCode.Membership, KvError.None, noMissing, error);
}

export class Proposals {
  readonly #byIndex: Map<number, Waiter>;
  /** In order of arrival, which is order of deadline: all wait equally long. */
  #queue: Waiter[];
  #queueHead: number;
  /** Waiters not yet answered, and the bytes of their payloads. Invariant: ≤ the limits given. */
  #count: number;
  #bytes: number;
  readonly #countMax: number;
  readonly #bytesMax: number;
  failed: number;
  /** All that were answered, either way. */
  answered: number;

  constructor(countMax: number, bytesMax: number) {
    this.#byIndex = new Map();
    this.#queue = [];
    this.#queueHead = 0;
    this.#count = 0;
    this.#bytes = 0;
    this.#countMax = countMax;
    this.#bytesMax = bytesMax;
    this.failed = 0;
    this.answered = 0;
  }

  get count(): number {
    return this.#count;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** False: a bound is reached and nothing was taken. `share`: of the bounds, that this one may fill. */
  admit(waiter: Waiter, share: number = 1): boolean {
    if (this.#count >= this.#countMax * share) {
      return false;
    }
    if (this.#bytes + waiter.payload.length > this.#bytesMax * share && this.#count > 0) {
      return false;
    }
    this.#count += 1;
    this.#bytes += waiter.payload.length;
    this.#queue.push(waiter);
    return true;
  }

  /** The entry (index, term) will decide this waiter. */
  bind(waiter: Waiter, index: number, term: number): void {
    assert(index > 0 && term > 0, "a waiter is bound to an entry");
    if (waiter.answered) {
      return; // its time was up before the leader's answer came
    }
    const before = this.#byIndex.get(index);
    if (before !== undefined) {
      // The index was given to another entry before: an older leader's tail was truncated.
      if (before.term >= term) {
        this.fail(waiter, failure(FailureCode.TimedOut));
        return;
      }
      this.fail(before, failure(FailureCode.LeaderChanged));
    }
    waiter.index = index;
    waiter.term = term;
    this.#byIndex.set(index, waiter);
  }

  /**
   * The waiter for the entry that is being applied, or null. A waiter bound to the same index under
   * another term hears that its entry is gone.
   */
  take(index: number, term: number): Waiter | null {
    const waiter = this.#byIndex.get(index);
    if (waiter === undefined) {
      return null;
    }
    if (waiter.term === term) {
      this.#byIndex.delete(index);
      return waiter;
    }
    this.fail(waiter, failure(FailureCode.LeaderChanged));
    return null;
  }

  /** The entry (index, term) was truncated before it could commit. */
  dropped(index: number, term: number): void {
    const waiter = this.#byIndex.get(index);
    if (waiter !== undefined && waiter.term === term) {
      this.fail(waiter, failure(FailureCode.LeaderChanged));
    }
  }

  /** A snapshot replaced the log up to `index`: what these entries answered is not known here. */
  coveredBySnapshot(index: number): void {
    for (const waiter of [...this.#byIndex.values()]) {
      if (waiter.index <= index) {
        this.fail(waiter, failure(FailureCode.TimedOut));
      }
    }
  }

  reply(waiter: Waiter, bytes: Uint8Array): void {
    if (this.#finish(waiter)) {
      waiter.sink.reply(bytes);
    }
  }

  fail(waiter: Waiter, why: Failure): void {
    if (this.#finish(waiter)) {
      this.failed += 1;
      waiter.sink.fail(why);
    }
  }

  /** Outcome unknown for all whose time is up. */
  expire(nowTick: number): void {
    while (this.#queueHead < this.#queue.length) {
      const waiter = this.#queue[this.#queueHead]!;
      if (!waiter.answered && waiter.deadlineTick > nowTick) {
        break;
      }
      this.#queueHead += 1;
      if (!waiter.answered) {
        this.fail(waiter, failure(FailureCode.TimedOut));
      }
    }
    if (this.#queueHead > 1024 && this.#queueHead * 2 > this.#queue.length) {
      this.#queue = this.#queue.slice(this.#queueHead);
      this.#queueHead = 0;
    }
  }

  /**
   * The member stops, or its state is lost. Who still waits was appended here or forwarded to the
   * leader, and may yet commit; those that never left are failed before, by the pump.
   */
  abandon(): void {
    for (let at = this.#queueHead; at < this.#queue.length; at += 1) {
      this.fail(this.#queue[at]!, failure(FailureCode.TimedOut));
    }
    this.#queue = [];
    this.#queueHead = 0;
  }

  #finish(waiter: Waiter): boolean {
    if (waiter.answered) {
      return false;
    }
    waiter.answered = true;
    this.answered += 1;
    this.#count -= 1;
    this.#bytes -= waiter.payload.length;
    assert(this.#count >= 0 && this.#bytes >= 0, "waiters are counted once");
    if (waiter.index > 0 && this.#byIndex.get(waiter.index) === waiter) {
      this.#byIndex.delete(waiter.index);
    }
    return true;
  }
}
