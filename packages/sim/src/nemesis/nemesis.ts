// What a nemesis is: one family of faults, active from `start` to `stop`, choosing its moments from
// a stream of its own. After `stop` it does nothing more, and what it broke and can mend is mended.
import type { SimCluster } from "../cluster.ts";
import type { SimRandom } from "../sim-random.ts";

export interface Nemesis {
  readonly name: string;
  start(): void;
  stop(): void;
}

/** Acts again and again, each time after a drawn pause. */
export class Repeater {
  readonly #cluster: SimCluster;
  readonly #random: SimRandom;
  readonly #pauseMinMs: number;
  readonly #pauseMaxMs: number;
  readonly #act: () => void;
  #active: boolean;

  constructor(
    cluster: SimCluster,
    random: SimRandom,
    pauses: { readonly minMs: number; readonly maxMs: number },
    act: () => void,
  ) {
    this.#cluster = cluster;
    this.#random = random;
    this.#pauseMinMs = pauses.minMs;
    this.#pauseMaxMs = pauses.maxMs;
    this.#act = act;
    this.#active = false;
  }

  get active(): boolean {
    return this.#active;
  }

  start(): void {
    this.#active = true;
    this.#next();
  }

  stop(): void {
    this.#active = false;
  }

  #next(): void {
    const ms = this.#random.doublings(this.#pauseMinMs, this.#pauseMaxMs);
    this.#cluster.world.after(ms * 1000, () => {
      if (!this.#active) return;
      this.#act();
      this.#next();
    });
  }
}
