// Deadlines of calls, by the time that they end: a hashed wheel. Adding and taking out are a few pointers,
// whatever there is; what is due is found by walking the slots that have gone by. Deadlines are coarse:
// never early, late by up to a slot. It reads no clock.
import { assert } from "@quorate/base";

export interface Expiring {
  /** Called once, outside of `add` and `remove`; the deadline is out of the wheel by then. */
  expire(): void;
}

export const slotMs = 16;
/** A deadline further away than a turn of the wheel is met once a turn until it is due. */
const slotCount = 512;

/** One call's place in a slot: a ring of its own when it is in none. */
export class Deadline {
  readonly call: Expiring | null;
  /** First tick at which it is due. */
  readonly tick: number;
  next: Deadline;
  previous: Deadline;

  constructor(call: Expiring | null, tick: number) {
    this.call = call;
    this.tick = tick;
    this.next = this;
    this.previous = this;
  }

  /** Without effect when it is in no slot. */
  unlink(): void {
    this.previous.next = this.next;
    this.next.previous = this.previous;
    this.next = this;
    this.previous = this;
  }

  /** At the end of the ring that `head` begins. */
  linkBefore(head: Deadline): void {
    assert(this.next === this, "a deadline is in one slot at most");
    this.previous = head.previous;
    this.next = head;
    head.previous.next = this;
    head.previous = this;
  }
}

export class DeadlineWheel {
  readonly #slots: readonly Deadline[];
  /** Every slot up to this tick has been walked. */
  #tick: number;
  #count: number;

  constructor(nowMs: number) {
    this.#slots = Array.from({ length: slotCount }, () => new Deadline(null, 0));
    this.#tick = Math.floor(nowMs / slotMs);
    this.#count = 0;
  }

  get count(): number {
    return this.#count;
  }

  /** What is due already expires with the next `advance` that goes on by a tick. */
  add(call: Expiring, dueMs: number): Deadline {
    const tick = Math.max(Math.ceil(dueMs / slotMs), this.#tick + 1);
    const deadline = new Deadline(call, tick);
    deadline.linkBefore(this.#slots[tick % slotCount]!);
    this.#count += 1;
    return deadline;
  }

  /** Once for each that has not expired. */
  remove(deadline: Deadline): void {
    assert(deadline.next !== deadline, "a deadline is taken out once");
    deadline.unlink();
    this.#count -= 1;
  }

  /** Expires what is due. After a long stall each slot is walked once. */
  advance(nowMs: number): void {
    const last = Math.floor(nowMs / slotMs);
    const first = Math.max(this.#tick + 1, last - slotCount + 1);
    if (last > this.#tick) this.#tick = last;
    for (let tick = first; tick <= last; tick += 1) this.#walk(this.#slots[tick % slotCount]!);
  }

  /** The due ones leave first: an expired call may add or take out others. */
  #walk(head: Deadline): void {
    const due = new Deadline(null, 0);
    for (let at = head.next; at !== head;) {
      const { next } = at;
      if (at.tick <= this.#tick) {
        at.unlink();
        at.linkBefore(due);
      }
      at = next;
    }
    while (due.next !== due) {
      const { next } = due;
      this.remove(next);
      next.call?.expire();
    }
  }
}
