// Randomness of the simulated world: every consumer has a stream of its own, named, derived from
// the root seed. The world knows all streams, because at the end of a run each gives one more
// number (the "unseed"): equal runs leave equal streams behind.
import { assert, type Prng } from "@quorate/base";
import type { Random } from "@quorate/storage";

/** Where streams announce themselves. */
export interface StreamRegistry {
  readonly streams: SimRandom[];
}

export class SimRandom implements Random {
  readonly #prng: Prng;
  readonly #registry: StreamRegistry;

  constructor(prng: Prng, registry: StreamRegistry) {
    this.#prng = prng;
    this.#registry = registry;
    registry.streams.push(this);
  }

  u32(): number {
    return this.#prng.u32();
  }

  below(n: number): number {
    return this.#prng.below(n);
  }

  fork(label: string): SimRandom {
    return new SimRandom(this.#prng.fork(label), this.#registry);
  }

  /** True with probability p; draws once whatever p is. */
  chance(p: number): boolean {
    return this.#prng.chance(p);
  }

  /** Uniform integer in [low, high]. */
  between(low: number, high: number): number {
    assert(low <= high, "SimRandom.between: empty range");
    return low + this.#prng.below(high - low + 1);
  }

  /**
   * Integer in [low, high], about equally often in each doubling: delays and lengths whose order
   * of magnitude matters. By shifts only: Math.log differs between engines in its last digit.
   */
  doublings(low: number, high: number): number {
    assert(low >= 1 && low <= high, "SimRandom.doublings: empty range");
    let steps = 0;
    for (let x = low; x * 2 <= high; x *= 2) steps++;
    const from = low * 2 ** this.#prng.below(steps + 1);
    return this.between(from, Math.min(high, from * 2 - 1));
  }

  pick<T>(array: readonly T[]): T {
    return this.#prng.pick(array);
  }

  shuffle<T>(array: T[]): T[] {
    return this.#prng.shuffle(array);
  }
}
