// Seeded pseudo-random numbers for simulation, tests and jitter: xoshiro128** 1.1 (Blackman and
// Vigna), the same sequence on every machine. Not for secrets: ids that must not be guessed come
// from the Env's own source.
import { assert } from "./assert.ts";
import { Xoshiro128 } from "./xoshiro.ts";

const TWO_POW_26 = 67108864;
const TWO_POW_32 = 4294967296;
const TWO_POW_52 = 4503599627370496;
const TWO_POW_53 = 9007199254740992;
const GOLDEN_GAMMA = 0x9e3779b9;
/** Each draw of a rejection loop is kept with probability above 1/2. */
const REJECTIONS_MAX = 256;

/** Four words from which the state starts; kept, because forks derive from it. */
type Seed = readonly [number, number, number, number];

const ROOT: Seed = [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344];

export class Prng {
  #seed: Seed;
  #generator: Xoshiro128;

  /** The number 1 and the text "1" are different seeds. */
  constructor(seed: number | string) {
    if (typeof seed === "number") {
      assert(Number.isSafeInteger(seed), "Prng: the seed is not a safe integer");
      this.#seed = absorb(ROOT, [0, seed >>> 0, Math.floor(seed / TWO_POW_32) >>> 0]);
    } else {
      this.#seed = absorb(ROOT, textWords(seed));
    }
    this.#generator = startState(this.#seed);
  }

  /**
   * A generator of its own for one purpose. It depends on this one's seed and the label alone, not
   * on what was drawn, and draws nothing: adding a fork changes no other stream.
   */
  fork(label: string): Prng {
    const child = new Prng(0);
    child.#seed = absorb(this.#seed, textWords(label));
    child.#generator = startState(child.#seed);
    return child;
  }

  u32(): number {
    return this.#generator.u32();
  }

  /** An integer in [0, n), each equally likely; 1 ≤ n ≤ 2^53. */
  below(n: number): number {
    assert(Number.isInteger(n) && n >= 1 && n <= TWO_POW_53, "Prng.below: n is not in [1, 2^53]");
    const range = n <= TWO_POW_32 ? TWO_POW_32 : TWO_POW_53;
    const limit = range - (range % n);
    for (let i = 0; i < REJECTIONS_MAX; i++) {
      const drawn = range === TWO_POW_32 ? this.u32() : this.#bits53();
      if (drawn < limit) return drawn % n;
    }
    assert(false, "Prng.below: the generator is stuck");
  }

  /** An integer in [1, 2^52]: the range of raft ids and nonces, 0 being "none". */
  u53(): number {
    return 1 + this.below(TWO_POW_52);
  }

  /** In [0, 1), of 53 random bits. */
  fraction(): number {
    return this.#bits53() / TWO_POW_53;
  }

  /** True with probability p; draws once whatever p is. */
  chance(p: number): boolean {
    return this.fraction() < p;
  }

  pick<T>(array: readonly T[]): T {
    assert(array.length > 0, "Prng.pick: nothing to pick from");
    return array[this.below(array.length)]!;
  }

  /** In place (Fisher and Yates); gives the same array back. */
  shuffle<T>(array: T[]): T[] {
    for (let i = array.length - 1; i > 0; i--) {
      const j = this.below(i + 1);
      const kept = array[i]!;
      array[i] = array[j]!;
      array[j] = kept;
    }
    return array;
  }

  #bits53(): number {
    const high = this.u32() >>> 5;
    return high * TWO_POW_26 + (this.u32() >>> 6);
  }
}

// The finalizer of a 32-bit splitmix: every input bit reaches every output bit.
function mix(x: number): number {
  let z = Math.imul(x ^ (x >>> 16), 0x21f0aaad);
  z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
  return (z ^ (z >>> 15)) >>> 0;
}

// Four lanes that see the same words from different starts.
function absorb(start: Seed, words: readonly number[]): Seed {
  let [a, b, c, d] = start;
  for (const word of words) {
    a = mix((a + GOLDEN_GAMMA) ^ word);
    b = mix((b + a) ^ word);
    c = mix((c + b) ^ word);
    d = mix((d + c) ^ word);
  }
  return [a, b, c, d];
}

// The length comes first: no text is a prefix of another's words.
function textWords(text: string): number[] {
  const words = [1, text.length];
  for (let i = 0; i < text.length; i++) words.push(text.charCodeAt(i));
  return words;
}

function startState(seed: Seed): Xoshiro128 {
  const [a, b, c, d] = absorb(seed, [2]);
  return (a | b | c | d) === 0 ? new Xoshiro128(...ROOT) : new Xoshiro128(a, b, c, d);
}
