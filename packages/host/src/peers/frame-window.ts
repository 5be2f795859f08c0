// Each frame of a link is believed at most once: a network that repeats bytes must not append a
// forwarded write twice. Remembers which of the newest frame numbers came; older ones are dropped,
// which is a loss, and losses are allowed.

/** Frames by which one may come late; a multiple of 32. */
export const frameWindowMax = 1024;

export class FrameWindow {
  /** Bit n % frameWindowMax: number n of (#newest - frameWindowMax, #newest] came. */
  readonly #seen: Uint32Array;
  /** 0: none yet. Numbers start at 1 and wrap at 2^32. */
  #newest: number;

  constructor() {
    this.#seen = new Uint32Array(frameWindowMax / 32);
    this.#newest = 0;
  }

  /** True the first time. */
  accept(number: number): boolean {
    const ahead = (number - this.#newest) | 0;
    if (ahead <= -frameWindowMax) return false;
    if (ahead > 0) {
      if (ahead >= frameWindowMax) this.#seen.fill(0);
      else for (let i = 1; i < ahead; i++) this.#clear(this.#newest + i);
      this.#newest = number;
      this.#set(number);
      return true;
    }
    if (this.#isSet(number)) return false;
    this.#set(number);
    return true;
  }

  #isSet(number: number): boolean {
    const bit = (number >>> 0) % frameWindowMax;
    return (this.#seen[bit >>> 5]! & (1 << (bit & 31))) !== 0;
  }

  #set(number: number): void {
    const bit = (number >>> 0) % frameWindowMax;
    this.#seen[bit >>> 5]! |= 1 << (bit & 31);
  }

  #clear(number: number): void {
    const bit = (number >>> 0) % frameWindowMax;
    this.#seen[bit >>> 5]! &= ~(1 << (bit & 31));
  }
}
