// Fingerprints of search states: two lanes of 32 bits that facts are taken into and out of by XOR, in
// any order; together a number of 53 bits.

/** Scrambles three small numbers, one after the other, and a lane's own (murmur3's finalizer). */
function mix(lane: number, a: number, b: number, c: number): number {
  let x = Math.imul(lane ^ a, 0x85ebca6b);
  x = Math.imul((x ^ (x >>> 15)) + b, 0xc2b2ae35);
  x = Math.imul((x ^ (x >>> 13)) + c, 0x9e3779b1);
  x = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
  return x ^ (x >>> 16);
}

export class StateHash {
  #low: number;
  #high: number;

  constructor() {
    this.#low = 0;
    this.#high = 0;
  }

  /** Takes the fact in, or out again. */
  toggle(a: number, b: number, c: number): void {
    this.#low ^= mix(0x2545f491, a, b, c);
    this.#high ^= mix(0x1b873593, a, b, c);
  }

  /** Of this and another one together. */
  with(other: StateHash): number {
    const low = (this.#low ^ other.#low) >>> 0;
    const high = (this.#high ^ other.#high) & 0x1f_ffff;
    return high * 4_294_967_296 + low;
  }
}
