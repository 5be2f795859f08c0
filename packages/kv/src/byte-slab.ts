// Small byte arrays cut from larger ones: an array of its own costs the allocator and the collector
// ten times what a view costs. A piece keeps the whole slab alive, so pieces of one slab should be
// dropped at about the same time. Contents begin as zeros.
import { emptyBytes } from "@quorate/base";

const SLAB_BYTES = 65_536;
/** What is larger gets its own array: the view would no longer be what costs. */
const PIECE_BYTES_MAX = 4096;

export class ByteSlab {
  #slab: Uint8Array;
  #used: number;

  constructor() {
    this.#slab = emptyBytes;
    this.#used = 0;
  }

  /** Nobody else holds these bytes, or ever will. */
  take(length: number): Uint8Array {
    if (length > PIECE_BYTES_MAX) return new Uint8Array(length);
    if (this.#used + length > this.#slab.length) {
      this.#slab = new Uint8Array(SLAB_BYTES);
      this.#used = 0;
    }
    const piece = this.#slab.subarray(this.#used, this.#used + length);
    this.#used += length;
    return piece;
  }
}
