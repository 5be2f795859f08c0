// How many bytes of log lie above an index, to within a sample: what the catch-up tail may keep.
import { entryBytes } from "@quorate/raft";
import type { Entry } from "@quorate/raft";

const sampleEvery = 128;

/** Samples of (index, bytes of all entries up to it), ascending, from the compaction point on. */
export class LogSize {
  #indexes: number[];
  #totals: number[];
  #total: number;

  constructor() {
    this.#indexes = [];
    this.#totals = [];
    this.#total = 0;
  }

  /** Bytes of all entries seen by this process. */
  get total(): number {
    return this.#total;
  }

  add(entry: Entry): void {
    this.#total += entryBytes(entry);
    if (entry.index % sampleEvery === 0) {
      this.#indexes.push(entry.index);
      this.#totals.push(this.#total);
    }
  }

  /** The lowest sampled index such that at most `bytesMax` of entries lie above it, or 0. */
  indexWithin(bytesMax: number): number {
    let index = 0;
    for (let at = this.#indexes.length - 1; at >= 0; at -= 1) {
      if (this.#total - this.#totals[at]! > bytesMax) {
        index = this.#indexes[at]!;
        break;
      }
    }
    return index;
  }

  /** Samples at or below `index` are not asked for any more. */
  dropBelow(index: number): void {
    let count = 0;
    while (count < this.#indexes.length && this.#indexes[count]! < index) {
      count += 1;
    }
    if (count > 0) {
      this.#indexes.splice(0, count);
      this.#totals.splice(0, count);
    }
  }

  reset(): void {
    this.#indexes = [];
    this.#totals = [];
  }
}
