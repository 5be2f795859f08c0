// The window of appends sent to one follower and not yet acknowledged, bounded by count and by
// bytes (lesson 41). A ring of (last index, bytes) pairs in the order of sending. It frees what an
// acknowledgement covers; it knows nothing of the entries themselves.
import { assert } from "@quorate/base";
import type { Index } from "../types.ts";

/** A power of two, as every capacity here, so that positions wrap by mask. */
const startCapacity = 8;

export class Inflights {
  readonly messagesMax: number;
  readonly bytesMax: number;
  /** Appends in the window. Invariant: count ≤ messagesMax. */
  count: number;
  /** Their bytes. At most one append reaches over bytesMax, so that a large one can go at all. */
  bytes: number;
  #start: number;
  #lastIndexes: Float64Array;
  #sizes: Float64Array;

  constructor(messagesMax: number, bytesMax: number) {
    assert(messagesMax >= 1, "inflights: the window must hold a message");
    assert(bytesMax >= 1, "inflights: the window must hold a byte");
    this.messagesMax = messagesMax;
    this.bytesMax = bytesMax;
    this.count = 0;
    this.bytes = 0;
    this.#start = 0;
    this.#lastIndexes = new Float64Array(startCapacity);
    this.#sizes = new Float64Array(startCapacity);
  }

  full(): boolean {
    return this.count === this.messagesMax || this.bytes >= this.bytesMax;
  }

  /** Indexes grow from call to call; a full window takes nothing. */
  add(lastIndex: Index, bytes: number): void {
    assert(!this.full(), "inflights: add to a full window");
    assert(bytes >= 0, "inflights: negative size");
    if (this.count === this.#lastIndexes.length) this.#grow();
    const mask = this.#lastIndexes.length - 1;
    if (this.count > 0) {
      const newest = this.#lastIndexes[(this.#start + this.count - 1) & mask]!;
      assert(lastIndex > newest, "inflights: index not above the newest");
    }
    const at = (this.#start + this.count) & mask;
    this.#lastIndexes[at] = lastIndex;
    this.#sizes[at] = bytes;
    this.count++;
    this.bytes += bytes;
  }

  /** Frees every append whose last index is at or below `index`. */
  freeUpTo(index: Index): void {
    const mask = this.#lastIndexes.length - 1;
    while (this.count > 0 && this.#lastIndexes[this.#start]! <= index) {
      this.bytes -= this.#sizes[this.#start]!;
      this.#start = (this.#start + 1) & mask;
      this.count--;
    }
    assert(this.count > 0 || this.bytes === 0, "inflights: bytes without messages");
  }

  reset(): void {
    this.count = 0;
    this.bytes = 0;
    this.#start = 0;
  }

  // On demand, not at once: an idle follower of a wide window costs nothing.
  #grow(): void {
    const capacity = this.#lastIndexes.length;
    const lastIndexes = new Float64Array(2 * capacity);
    const sizes = new Float64Array(2 * capacity);
    for (let i = 0; i < this.count; i++) {
      const from = (this.#start + i) & (capacity - 1);
      lastIndexes[i] = this.#lastIndexes[from]!;
      sizes[i] = this.#sizes[from]!;
    }
    this.#lastIndexes = lastIndexes;
    this.#sizes = sizes;
    this.#start = 0;
  }
}
