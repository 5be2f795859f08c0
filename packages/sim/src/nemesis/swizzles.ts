// Swizzle-clogging (FoundationDB's): the network interfaces of some members stall one after the
// other, and come back in another order. Finds what depends on who notices whom first.
import type { SimCluster } from "../cluster.ts";
import type { SimRandom } from "../sim-random.ts";
import { drawPace, type Nemesis, type Pace, Repeater } from "./nemesis.ts";

export interface SwizzleOptions extends Pace {
  readonly stepMaxMs: number;
}

export function drawSwizzles(random: SimRandom): SwizzleOptions {
  return { stepMaxMs: random.pick([50, 400, 1_500]), ...drawPace(random) };
}

export class Swizzles implements Nemesis {
  readonly name: string;
  readonly #cluster: SimCluster;
  readonly #options: SwizzleOptions;
  readonly #repeater: Repeater;
  readonly #stalled: Set<string>;
  /** Steps to come of the present round; empty: none is under way. */
  #steps: (() => void)[];

  constructor(cluster: SimCluster, options: SwizzleOptions) {
    this.name = "swizzles";
    this.#cluster = cluster;
    this.#options = options;
    const random = cluster.world.random(`nemesis ${this.name}`);
    this.#repeater = new Repeater(cluster, this.name, random, options, (own) => this.#act(own));
    this.#stalled = new Set();
    this.#steps = [];
  }

  start(): void {
    this.#repeater.start();
  }

  stop(): void {
    this.#repeater.stop();
    this.#steps = [];
    for (const name of this.#stalled) this.#cluster.network.release(name);
    this.#stalled.clear();
  }

  #act(random: SimRandom): void {
    if (this.#steps.length > 0) return;
    const names = random.shuffle([...this.#cluster.memberNames]);
    const some = names.slice(0, random.between(1, names.length));
    this.#cluster.world.faults.count("network.swizzle");
    this.#steps = some.map((name) => () => {
      this.#cluster.network.stall(name);
      this.#stalled.add(name);
    });
    for (const name of random.shuffle([...some])) {
      this.#steps.push(() => {
        this.#cluster.network.release(name);
        this.#stalled.delete(name);
      });
    }
    this.#next(random);
  }

  #next(random: SimRandom): void {
    const ms = random.doublings(1, this.#options.stepMaxMs);
    this.#cluster.world.after(ms * 1000, () => {
      this.#steps.shift()?.();
      if (this.#steps.length > 0) this.#next(random);
    });
  }
}
