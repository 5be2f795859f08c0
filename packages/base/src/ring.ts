// A bounded first-in-first-out queue. Full is an outcome that the caller handles: it never drops
// or overwrites by itself. Memory grows with use up to the capacity and stays.
import { assert } from "./assert.ts";

const START_SLOTS = 8;

export class Ring<T> {
  readonly capacity: number;
  // Item i stands at (#head + i) mod #slots.length; free slots hold null, so that nothing is kept
  // alive by them.
  #slots: (T | null)[];
  #head: number;
  #size: number;

  constructor(capacity: number) {
    assert(Number.isInteger(capacity) && capacity > 0, "Ring: capacity is not a positive integer");
    this.capacity = capacity;
    this.#slots = emptySlots(Math.min(START_SLOTS, capacity));
    this.#head = 0;
    this.#size = 0;
  }

  get size(): number {
    return this.#size;
  }

  get full(): boolean {
    return this.#size === this.capacity;
  }

  /** False, and nothing changed, when full. */
  push(item: T): boolean {
    if (this.#size === this.capacity) return false;
    if (this.#size === this.#slots.length) this.#grow();
    this.#slots[this.#place(this.#size)] = item;
    this.#size++;
    return true;
  }

  /** Takes the oldest item out; null when empty. */
  shift(): T | null {
    if (this.#size === 0) return null;
    const item = this.#slots[this.#head] as T;
    this.#slots[this.#head] = null;
    this.#head = this.#place(1);
    this.#size--;
    return item;
  }

  /** The i-th oldest item; 0 is what `shift` would give. */
  at(i: number): T {
    assert(i >= 0 && i < this.#size, "Ring.at: outside the ring");
    return this.#slots[this.#place(i)] as T;
  }

  clear(): void {
    this.#slots.fill(null);
    this.#head = 0;
    this.#size = 0;
  }

  #place(i: number): number {
    const place = this.#head + i;
    return place < this.#slots.length ? place : place - this.#slots.length;
  }

  #grow(): void {
    const grown = emptySlots<T>(Math.min(2 * this.#slots.length, this.capacity));
    for (let i = 0; i < this.#size; i++) grown[i] = this.#slots[this.#place(i)]!;
    this.#slots = grown;
    this.#head = 0;
  }
}

function emptySlots<T>(count: number): (T | null)[] {
  return Array.from({ length: count }, () => null);
}
