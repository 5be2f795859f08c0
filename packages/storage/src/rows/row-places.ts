// Where the rows of one segment stand: ref → offset, 4 bytes a row while the refs are dense. A
// segment whose rows were partly dropped keeps the refs that are left beside the offsets, 8 bytes a
// row, and finds them by bisection. Positions count the rows that are there, from 0.
import { assert } from "@quorate/base";

const startSlots = 64;

export class RowPlaces {
  /** Ref of the first row that the segment ever had. */
  readonly firstRef: number;
  #offsets: Uint32Array;
  /** Ref minus firstRef per position, ascending; null while every ref since firstRef is there. */
  #refs: Uint32Array | null;
  #count: number;

  constructor(firstRef: number) {
    this.firstRef = firstRef;
    this.#offsets = new Uint32Array(startSlots);
    this.#refs = null;
    this.#count = 0;
  }

  get count(): number {
    return this.#count;
  }

  /** The next ref in turn. */
  push(offset: number): void {
    assert(this.#refs === null, "RowPlaces.push: the refs are not dense");
    this.#put(offset);
  }

  /** A ref above all that are there. */
  pushSparse(ref: number, offset: number): void {
    const relative = ref - this.firstRef;
    if (this.#refs === null) {
      if (relative === this.#count) return this.#put(offset);
      this.#refs = new Uint32Array(this.#offsets.length);
      for (let i = 0; i < this.#count; i++) this.#refs[i] = i;
    }
    assert(
      this.#count === 0 || relative > this.#refs[this.#count - 1]!,
      "RowPlaces.pushSparse: refs ascend",
    );
    this.#put(offset);
    if (this.#refs.length < this.#offsets.length) {
      this.#refs = grown(this.#refs, this.#offsets.length);
    }
    this.#refs[this.#count - 1] = relative;
  }

  /** No more rows come: gives back the room that was kept for them. */
  trim(): void {
    this.#offsets = this.#offsets.slice(0, this.#count);
    if (this.#refs !== null) this.#refs = this.#refs.slice(0, this.#count);
  }

  offsetAt(position: number): number {
    return this.#offsets[position]!;
  }

  refAt(position: number): number {
    return this.firstRef + (this.#refs === null ? position : this.#refs[position]!);
  }

  /** Position of the row, or -1 when it is not here. */
  find(ref: number): number {
    const position = this.lowerBound(ref);
    return position < this.#count && this.refAt(position) === ref ? position : -1;
  }

  /** Position of the first row with a ref ≥ `ref`; `count` when there is none. */
  lowerBound(ref: number): number {
    const relative = ref - this.firstRef;
    const refs = this.#refs;
    if (refs === null) return Math.min(Math.max(relative, 0), this.#count);
    let low = 0;
    let high = this.#count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (refs[middle]! < relative) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #put(offset: number): void {
    if (this.#count === this.#offsets.length) {
      this.#offsets = grown(this.#offsets, 2 * this.#count);
    }
    this.#offsets[this.#count] = offset;
    this.#count += 1;
  }
}

function grown(from: Uint32Array, length: number): Uint32Array {
  const to = new Uint32Array(Math.max(length, startSlots));
  to.set(from);
  return to;
}
