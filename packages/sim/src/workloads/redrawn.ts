// Parameters of a workload, drawn anew after a drawn number of operations: nothing about a workload
// may stand still for a whole run.
import type { SimRandom } from "../sim-random.ts";

export class Redrawn<T> {
  readonly #draw: (random: SimRandom) => T;
  readonly #everyMax: number;
  #left: number;
  #current: T | null;

  /** For one operation at least, `everyMax` at most. */
  constructor(everyMax: number, draw: (random: SimRandom) => T) {
    this.#draw = draw;
    this.#everyMax = everyMax;
    this.#left = 0;
    this.#current = null;
  }

  /** To be asked once for each operation. */
  next(random: SimRandom): T {
    if (this.#left === 0 || this.#current === null) {
      this.#left = random.doublings(1, this.#everyMax);
      this.#current = this.#draw(random);
    }
    this.#left--;
    return this.#current;
  }
}
