// How far the members are from each other, changing while the run goes on: one room, one town, or
// regions with a site for one or several members each. Distances are multiples of what the election
// timeout allows, and now and then more than it allows: then nothing need work until they shrink.
import type { SimCluster } from "../cluster.ts";
import type { SimRandom } from "../sim-random.ts";
import { type Nemesis, type Pace, Repeater } from "./nemesis.ts";

export interface DistanceOptions extends Pace {
  readonly presets: readonly Preset[];
  /** Some one-way delays between regions are above half an election timeout. */
  readonly tooFar: boolean;
}

const presets = ["room", "town", "regions"] as const;
type Preset = (typeof presets)[number];

export function drawDistances(random: SimRandom): DistanceOptions {
  const some = presets.filter(() => random.chance(0.7));
  return {
    presets: some.length === 0 ? ["regions"] : some,
    tooFar: random.chance(0.1),
    pauseMinMs: random.pick([200, 1_000]),
    pauseMaxMs: random.pick([2_000, 10_000]),
  };
}

const sitesMax = 3;
/** Variation of a delay between sites, in parts of the delay. */
const jitterParts = 10;

export class Distances implements Nemesis {
  readonly name: string;
  readonly #cluster: SimCluster;
  readonly #options: DistanceOptions;
  readonly #repeater: Repeater;

  constructor(cluster: SimCluster, options: DistanceOptions) {
    this.name = "distances";
    this.#cluster = cluster;
    this.#options = options;
    const random = cluster.world.random(`nemesis ${this.name}`);
    this.#repeater = new Repeater(cluster, this.name, random, options, (own) => this.#act(own));
  }

  start(): void {
    this.#repeater.start();
  }

  stop(): void {
    this.#repeater.stop();
    this.#setAll(() => 0);
  }

  #act(random: SimRandom): void {
    const { world } = this.#cluster;
    const preset = random.pick(this.#options.presets);
    world.note("network", "distances", { preset });
    if (preset === "room") return this.#setAll(() => 0);
    if (preset === "town") {
      world.faults.count("network.distance-town");
      const us = random.between(1_000, 5_000);
      return this.#setAll(() => us);
    }
    world.faults.count("network.distance-regions");
    this.#setRegions(random);
  }

  #setRegions(random: SimRandom): void {
    const site = new Map(this.#cluster.memberNames.map((name) => [name, random.below(sitesMax)]));
    const { electionTimeoutMs } = this.#cluster.members[0]!.config;
    const parts = this.#options.tooFar && random.chance(0.3) ? 1 : 5;
    const farMaxUs = Math.min(300_000, Math.floor((electionTimeoutMs * 1000) / parts));
    const between = Array.from({ length: sitesMax * sitesMax }, () =>
      random.between(Math.floor(farMaxUs / 4), farMaxUs),
    );
    this.#setAll((from, to) => {
      const [a, b] = [site.get(from)!, site.get(to)!];
      // The way there and the way back are equally long.
      return a === b ? 0 : between[Math.min(a, b) * sitesMax + Math.max(a, b)]!;
    });
  }

  #setAll(delayUs: (from: string, to: string) => number): void {
    const { memberNames, network } = this.#cluster;
    for (const from of memberNames) {
      for (const to of memberNames) {
        if (from === to) continue;
        const us = delayUs(from, to);
        network.way(from, to).addedMinUs = us;
        network.way(from, to).addedMaxUs = us + Math.floor(us / jitterParts);
      }
    }
  }
}
