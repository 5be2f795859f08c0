// What a nemesis is: one family of faults, active from `start` to `stop`, choosing its moments from
// a stream of its own. After `stop` it does nothing more, and what it broke and can mend is mended.
import type { SimCluster } from "../cluster.ts";
import type { SimRandom } from "../sim-random.ts";

export interface Nemesis {
  readonly name: string;
  start(): void;
  stop(): void;
}

/** Between two acts; drawn so that each order of magnitude is about equally frequent. */
export interface Pace {
  readonly pauseMinMs: number;
  readonly pauseMaxMs: number;
}

export function drawPace(random: SimRandom): Pace {
  return { pauseMinMs: random.pick([50, 100, 300]), pauseMaxMs: random.pick([1_000, 3_000]) };
}

/**
 * Acts again and again, each time after a drawn pause. Each act has a stream of its own: one that is
 * refused (action-gate.ts) shifts no draw of the others.
 */
export class Repeater {
  readonly #cluster: SimCluster;
  readonly #name: string;
  readonly #random: SimRandom;
  readonly #pace: Pace;
  readonly #act: (random: SimRandom) => void;
  #acts: number;
  #active: boolean;

  constructor(
    cluster: SimCluster,
    name: string,
    random: SimRandom,
    pace: Pace,
    act: (random: SimRandom) => void,
  ) {
    this.#cluster = cluster;
    this.#name = name;
    this.#random = random;
    this.#pace = pace;
    this.#act = act;
    this.#acts = 0;
    this.#active = false;
  }

  get active(): boolean {
    return this.#active;
  }

  start(): void {
    if (this.#active) return;
    this.#active = true;
    this.#next();
  }

  stop(): void {
    this.#active = false;
  }

  #next(): void {
    const { world } = this.#cluster;
    const ms = this.#random.doublings(this.#pace.pauseMinMs, this.#pace.pauseMaxMs);
    world.after(ms * 1000, () => {
      if (!this.#active) return;
      const random = this.#random.fork(`act ${this.#acts++}`);
      if (world.actions.admit(world.nowUs, this.#name)) this.#act(random);
      this.#next();
    });
  }
}
