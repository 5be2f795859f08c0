// Writes that wait for a place in the log. As long as there is room, everything passes in order of
// arrival and nothing here costs anything; when there is none, the urgent go first, and what would wait
// for too long hears so at once.
import type { Waiter } from "../proposals.ts";
import { ControlledDelay } from "./controlled-delay.ts";
import { Urgency, urgencyOf } from "./urgency.ts";

export interface Room {
  readonly count: number;
  readonly bytes: number;
  /** Nothing is in the log: one that is larger than the room may go. */
  readonly idle: boolean;
}

/** reliability.md §6.5. */
export const queueLimits = { targetMs: 20, intervalMs: 100, waitMsMax: 1000 };

const order = [Urgency.First, Urgency.Early, Urgency.Ordinary] as const;

export class WriteQueue {
  readonly #delay: ControlledDelay;
  /** Since the last turn. */
  #fresh: Waiter[];
  #freshBytes: number;
  /** By urgency, in order of arrival: those for which a turn had no room. */
  readonly #waiting: readonly [Waiter[], Waiter[], Waiter[]];
  #waitingBytes: number;
  /** Of the oldest ordinary one at the last turn. */
  #headMs: number;

  constructor() {
    this.#delay = new ControlledDelay(queueLimits);
    this.#fresh = [];
    this.#freshBytes = 0;
    this.#waiting = [[], [], []];
    this.#waitingBytes = 0;
    this.#headMs = 0;
  }

  get count(): number {
    return this.#fresh.length + this.#waitingCount;
  }

  get bytes(): number {
    return this.#freshBytes + this.#waitingBytes;
  }

  /** Some had no room. */
  get stands(): boolean {
    return this.#waitingCount > 0;
  }

  /** One that came now would only be refused later. */
  refuses(urgency: Urgency): boolean {
    if (urgency === Urgency.First || !this.stands) return false;
    if (this.#headMs >= queueLimits.waitMsMax) return true;
    const isLong = this.#delay.overloaded && this.#headMs > queueLimits.targetMs;
    return isLong && urgency === Urgency.Ordinary;
  }

  add(waiter: Waiter): void {
    this.#fresh.push(waiter);
    this.#freshBytes += waiter.payload.length;
  }

  /** Those that may go into the log now; `refuse` those that have waited for too long. */
  take(room: Room, nowMs: () => number, refuse: (waiter: Waiter) => void): Waiter[] {
    const fresh = this.#fresh;
    const fits = fresh.length <= room.count && this.#freshBytes <= room.bytes;
    if (fits && !this.stands) {
      if (fresh.length === 0) return fresh;
      this.#fresh = [];
      this.#freshBytes = 0;
      return fresh;
    }
    const now = nowMs();
    this.#sort(now);
    this.#look(now);
    const taken: Waiter[] = [];
    let { count, bytes } = room;
    for (const urgency of order) {
      const list = this.#waiting[urgency];
      let at = 0;
      for (; at < list.length; at += 1) {
        const waiter = list[at]!;
        if (waiter.answered) continue;
        const waitedMs = now - waiter.queuedMs;
        // Whoever is too late is served all the same while there is room: the log shall not wait for work.
        const hasPlace = count > 0 && this.#hasPlace(waiter, bytes, taken, room);
        if (hasPlace && (urgency === Urgency.First || waitedMs < queueLimits.waitMsMax)) {
          taken.push(waiter);
          count -= 1;
          bytes -= waiter.payload.length;
        } else if (this.#isTooLong(urgency, waitedMs)) {
          refuse(waiter);
        } else {
          break;
        }
      }
      this.#cut(list, at);
    }
    if (this.#waiting[Urgency.Ordinary].length === 0) this.#shorten();
    return taken;
  }

  /** All that wait, in no order: the member stops. */
  drain(): Waiter[] {
    const all = [...this.#fresh, ...this.#waiting.flat()];
    this.#fresh = [];
    this.#freshBytes = 0;
    for (const list of this.#waiting) list.length = 0;
    this.#waitingBytes = 0;
    this.#shorten();
    return all;
  }

  get #waitingCount(): number {
    const [first, early, ordinary] = this.#waiting;
    return first.length + early.length + ordinary.length;
  }

  #isTooLong(urgency: Urgency, waitedMs: number): boolean {
    if (urgency === Urgency.First) return false;
    if (waitedMs >= queueLimits.waitMsMax) return true;
    const isLong = this.#delay.overloaded && waitedMs > queueLimits.targetMs;
    return isLong && urgency === Urgency.Ordinary;
  }

  #sort(now: number): void {
    for (const waiter of this.#fresh) {
      waiter.queuedMs = now;
      this.#waiting[urgencyOf(waiter.kind)].push(waiter);
    }
    this.#waitingBytes += this.#freshBytes;
    this.#fresh = [];
    this.#freshBytes = 0;
  }

  #hasPlace(waiter: Waiter, bytes: number, taken: readonly Waiter[], { idle }: Room): boolean {
    return waiter.payload.length <= bytes || (idle && taken.length === 0);
  }

  #cut(list: Waiter[], count: number): void {
    for (let at = 0; at < count; at += 1) this.#waitingBytes -= list[at]!.payload.length;
    if (count > 0) list.splice(0, count);
  }

  #look(now: number): void {
    const oldest = this.#waiting[Urgency.Ordinary].find((waiter) => !waiter.answered);
    if (oldest === undefined) return this.#shorten();
    this.#headMs = now - oldest.queuedMs;
    this.#delay.sample(this.#headMs, now);
  }

  #shorten(): void {
    this.#headMs = 0;
    this.#delay.empty();
  }
}
