// The network is cut in one of several shapes, both ways or one way only, once or again and again
// within seconds; then it heals.
import type { SimCluster } from "../cluster.ts";
import type { SimRandom } from "../sim-random.ts";
import { drawPace, type Nemesis, type Pace, Repeater } from "./nemesis.ts";
import { type Pair, PartitionShape, pairsOf, partitionShapes } from "./partition-shapes.ts";

export interface PartitionOptions extends Pace {
  readonly shapes: readonly PartitionShape[];
  /** Some cuts let the other direction through. */
  readonly oneWay: boolean;
  /** Some cuts come and go. */
  readonly flapping: boolean;
}

export function drawPartitions(random: SimRandom): PartitionOptions {
  const shapes = partitionShapes.filter(() => random.chance(0.6));
  return {
    shapes: shapes.length === 0 ? [random.pick(partitionShapes)] : shapes,
    oneWay: random.chance(0.5),
    flapping: random.chance(0.3),
    ...drawPace(random),
  };
}

const flapsMin = 4;
const flapsMax = 20;
const flapMinMs = 5;
const flapMaxMs = 400;

export class Partitions implements Nemesis {
  readonly name: string;
  readonly #cluster: SimCluster;
  readonly #options: PartitionOptions;
  readonly #repeater: Repeater;
  #cut: boolean;
  /** Cuts and heals so far: who comes later finds out that others have acted since. */
  #changes: number;

  constructor(cluster: SimCluster, options: PartitionOptions) {
    this.name = "partitions";
    this.#cluster = cluster;
    this.#options = options;
    const random = cluster.world.random(`nemesis ${this.name}`);
    this.#repeater = new Repeater(cluster, this.name, random, options, (own) => this.#act(own));
    this.#cut = false;
    this.#changes = 0;
  }

  start(): void {
    this.#repeater.start();
  }

  stop(): void {
    this.#repeater.stop();
    this.#heal();
  }

  #act(random: SimRandom): void {
    if (this.#cut) this.#heal();
    else this.#cutSome(random);
  }

  #heal(): void {
    this.#cluster.network.heal();
    this.#cut = false;
    this.#changes++;
  }

  #cutSome(random: SimRandom): void {
    const names = random.shuffle([...this.#cluster.memberNames]);
    if (names.length < 2) return;
    const shape = random.pick(this.#options.shapes);
    const leader = this.#cluster.leader();
    if (shape === PartitionShape.Isolate && leader !== null && random.chance(0.5)) {
      names.splice(names.indexOf(leader.name), 1);
      names.unshift(leader.name);
    }
    const pairs = pairsOf(shape, names, random);
    const oneWay = this.#options.oneWay && random.chance(0.4);
    const { faults } = this.#cluster.world;
    faults.count(oneWay ? "network.cut-one-way" : kinds[shape]);
    if (this.#options.flapping && random.chance(0.4)) {
      faults.count("network.flap");
      this.#flap(random, pairs, oneWay, random.between(flapsMin, flapsMax));
    } else {
      this.#apply(pairs, oneWay);
    }
  }

  #apply(pairs: readonly Pair[], oneWay: boolean): void {
    this.#cut = true;
    this.#changes++;
    for (const [from, to] of pairs) {
      this.#cluster.network.cutOneWay(from, to);
      if (!oneWay) this.#cluster.network.cutOneWay(to, from);
    }
  }

  #flap(random: SimRandom, pairs: readonly Pair[], oneWay: boolean, times: number): void {
    if (this.#cut) this.#heal();
    else this.#apply(pairs, oneWay);
    const changes = this.#changes;
    if (times === 0) return;
    this.#cluster.world.after(random.doublings(flapMinMs, flapMaxMs) * 1000, () => {
      if (this.#changes === changes) this.#flap(random, pairs, oneWay, times - 1);
    });
  }
}

const kinds = {
  [PartitionShape.Split]: "network.cut",
  [PartitionShape.Isolate]: "network.isolate",
  [PartitionShape.Pair]: "network.cut-pair",
  [PartitionShape.Bridge]: "network.cut-bridge",
  [PartitionShape.Ring]: "network.cut-ring",
} as const;
