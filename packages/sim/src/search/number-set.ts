// A set of numbers for millions of members: open addressing in one flat array.
import { assert } from "@quorate/base";

const capacityFirst = 1024;

export class NumberSet {
  /** NaN: free. */
  #slots: Float64Array;
  #size: number;

  constructor() {
    this.#slots = new Float64Array(capacityFirst).fill(Number.NaN);
    this.#size = 0;
  }

  get size(): number {
    return this.#size;
  }

  /** False: it was in it before. */
  add(value: number): boolean {
    assert(Number.isSafeInteger(value) && value >= 0, "NumberSet: whole numbers below 2^53");
    if (this.#size * 2 >= this.#slots.length) this.#grow();
    const slot = this.#slotOf(value);
    if (this.#slots[slot] === value) return false;
    this.#slots[slot] = value;
    this.#size++;
    return true;
  }

  #slotOf(value: number): number {
    const mask = this.#slots.length - 1;
    let slot = (value ^ Math.floor(value / 4_294_967_296)) & mask;
    while (!Number.isNaN(this.#slots[slot]) && this.#slots[slot] !== value) {
      slot = (slot + 1) & mask;
    }
    return slot;
  }

  #grow(): void {
    const old = this.#slots;
    this.#slots = new Float64Array(old.length * 2).fill(Number.NaN);
    for (const value of old) {
      if (!Number.isNaN(value)) this.#slots[this.#slotOf(value)] = value;
    }
  }
}
