// A binary heap: the smallest item by a comparator first, any item removable by identity. For
// timers and event queues. Items that compare equal come out in an order that depends on the
// history only; a caller that needs first-in-first-out puts a sequence number in its comparator.
import { assert } from "./assert.ts";

export class Heap<T> {
  readonly #compare: (a: T, b: T) => number;
  readonly #items: T[];
  // Item → place in #items. Kept from the first `remove` on: a heap that never removes from its
  // middle does not pay for it.
  #places: Map<T, number> | null;

  constructor(compare: (a: T, b: T) => number) {
    this.#compare = compare;
    this.#items = [];
    this.#places = null;
  }

  get size(): number {
    return this.#items.length;
  }

  /** With `remove` in use an item may stand in the heap once only. */
  push(item: T): void {
    assert(this.#places === null || !this.#places.has(item), "Heap.push: already in the heap");
    this.#items.push(item);
    this.#siftUp(item, this.#items.length - 1);
  }

  /** The smallest item, or null. */
  peek(): T | null {
    return this.#items.length === 0 ? null : this.#items[0]!;
  }

  /** Takes the smallest item out; null when empty. */
  pop(): T | null {
    return this.#items.length === 0 ? null : this.#removeAt(0);
  }

  /** Takes this very item out; false when it is not there. Its order must not have changed. */
  remove(item: T): boolean {
    const place = this.#indexed().get(item);
    if (place === undefined) return false;
    this.#removeAt(place);
    return true;
  }

  clear(): void {
    this.#items.length = 0;
    this.#places?.clear();
  }

  #indexed(): Map<T, number> {
    if (this.#places === null) {
      this.#places = new Map();
      for (let i = 0; i < this.#items.length; i++) this.#places.set(this.#items[i]!, i);
      assert(this.#places.size === this.#items.length, "Heap.remove: an item stands in it twice");
    }
    return this.#places;
  }

  #removeAt(place: number): T {
    const removed = this.#items[place]!;
    const last = this.#items.pop()!;
    this.#places?.delete(removed);
    if (place < this.#items.length) {
      // The last item may belong above or below the gap.
      if (!this.#siftUp(last, place)) this.#siftDown(last, place);
    }
    return removed;
  }

  #put(item: T, place: number): void {
    this.#items[place] = item;
    if (this.#places !== null) this.#places.set(item, place);
  }

  // Puts the item at the place or above it; true when above.
  #siftUp(item: T, start: number): boolean {
    let place = start;
    while (place > 0) {
      const above = (place - 1) >> 1;
      const parent = this.#items[above]!;
      if (this.#compare(item, parent) >= 0) break;
      this.#put(parent, place);
      place = above;
    }
    this.#put(item, place);
    return place < start;
  }

  #siftDown(item: T, start: number): void {
    const size = this.#items.length;
    let place = start;
    for (;;) {
      let below = 2 * place + 1;
      if (below >= size) break;
      if (below + 1 < size && this.#compare(this.#items[below + 1]!, this.#items[below]!) < 0) {
        below++;
      }
      const child = this.#items[below]!;
      if (this.#compare(child, item) >= 0) break;
      this.#put(child, place);
      place = below;
    }
    this.#put(item, place);
  }
}
