// The network is cut: a random split, one member alone, one way only, or a ring in which everybody
// still reaches somebody; then it heals.
import type { SimCluster } from "../cluster.ts";
import type { SimRandom } from "../sim-random.ts";
import { drawPace, type Nemesis, type Pace, Repeater } from "./nemesis.ts";

export interface PartitionOptions extends Pace {
  readonly oneWay: boolean;
}

export function drawPartitions(random: SimRandom): PartitionOptions {
  return { oneWay: random.chance(0.5), ...drawPace(random) };
}

export class Partitions implements Nemesis {
  readonly name: string;
  readonly #cluster: SimCluster;
  readonly #options: PartitionOptions;
  readonly #repeater: Repeater;
  #cut: boolean;

  constructor(cluster: SimCluster, options: PartitionOptions) {
    this.name = "partitions";
    this.#cluster = cluster;
    this.#options = options;
    const random = cluster.world.random(`nemesis ${this.name}`);
    this.#repeater = new Repeater(cluster, this.name, random, options, (own) => this.#act(own));
    this.#cut = false;
  }

  start(): void {
    this.#repeater.start();
  }

  stop(): void {
    this.#repeater.stop();
    this.#cluster.network.heal();
    this.#cut = false;
  }

  #act(random: SimRandom): void {
    if (this.#cut) {
      this.#cluster.network.heal();
      this.#cut = false;
      return;
    }
    this.#cut = true;
    const names = random.shuffle([...this.#cluster.memberNames]);
    if (names.length < 2) return;
    if (this.#options.oneWay && random.chance(0.4)) this.#cutOneWay(random, names);
    else if (names.length > 3 && random.chance(0.2)) this.#cutToRing(names);
    else this.#split(random, names);
  }

  #split(random: SimRandom, names: readonly string[]): void {
    const size = random.between(1, names.length - 1);
    this.#cluster.world.faults.count("network.cut");
    this.#cluster.network.partition([names.slice(0, size), names.slice(size)]);
  }

  #cutOneWay(random: SimRandom, names: readonly string[]): void {
    const size = random.between(1, names.length - 1);
    this.#cluster.world.faults.count("network.cut-one-way");
    for (const from of names.slice(0, size)) {
      for (const to of names.slice(size)) this.#cluster.network.cutOneWay(from, to);
    }
  }

  /** Everybody reaches two neighbours only. */
  #cutToRing(names: readonly string[]): void {
    this.#cluster.world.faults.count("network.cut-ring");
    for (let a = 0; a < names.length; a++) {
      for (let b = a + 2; b < names.length; b++) {
        const neighbours = a === 0 && b === names.length - 1;
        if (!neighbours) this.#cluster.network.cut(names[a]!, names[b]!);
      }
    }
  }
}
