// The network is cut: a random split, one member alone, one way only, or a ring in which everybody
// still reaches somebody; then it heals.
import type { SimCluster } from "../cluster.ts";
import type { SimRandom } from "../sim-random.ts";
import { type Nemesis, Repeater } from "./nemesis.ts";

export interface PartitionOptions {
  readonly oneWay: boolean;
  readonly pauseMinMs: number;
  readonly pauseMaxMs: number;
}

export class Partitions implements Nemesis {
  readonly name: string;
  readonly #cluster: SimCluster;
  readonly #options: PartitionOptions;
  readonly #random: SimRandom;
  readonly #repeater: Repeater;
  #cut: boolean;

  constructor(cluster: SimCluster, options: PartitionOptions) {
    this.name = "partitions";
    this.#cluster = cluster;
    this.#options = options;
    this.#random = cluster.world.random("nemesis partitions");
    const pauses = { minMs: options.pauseMinMs, maxMs: options.pauseMaxMs };
    this.#repeater = new Repeater(cluster, this.#random, pauses, () => this.#act());
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

  #act(): void {
    if (this.#cut) {
      this.#cluster.network.heal();
      this.#cut = false;
      return;
    }
    this.#cut = true;
    const names = this.#random.shuffle([...this.#cluster.memberNames]);
    if (names.length < 2) return;
    if (this.#options.oneWay && this.#random.chance(0.4)) this.#cutOneWay(names);
    else if (names.length > 3 && this.#random.chance(0.2)) this.#cutToRing(names);
    else this.#split(names);
  }

  #split(names: readonly string[]): void {
    const size = this.#random.between(1, names.length - 1);
    this.#cluster.network.partition([names.slice(0, size), names.slice(size)]);
  }

  #cutOneWay(names: readonly string[]): void {
    const size = this.#random.between(1, names.length - 1);
    for (const from of names.slice(0, size)) {
      for (const to of names.slice(size)) this.#cluster.network.cutOneWay(from, to);
    }
  }

  /** Everybody reaches two neighbours only. */
  #cutToRing(names: readonly string[]): void {
    for (let a = 0; a < names.length; a++) {
      for (let b = a + 2; b < names.length; b++) {
        const neighbours = a === 0 && b === names.length - 1;
        if (!neighbours) this.#cluster.network.cut(names[a]!, names[b]!);
      }
    }
  }
}
