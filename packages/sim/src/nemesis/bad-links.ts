// Single ways between two members go bad for a while, in one direction or both: slow, lossy, damaged,
// clogging, resetting. Several can be bad at once.
import type { FaultKind } from "../fault-counts.ts";
import type { SimCluster } from "../cluster.ts";
import type { Way } from "../network/way.ts";
import type { SimRandom } from "../sim-random.ts";
import { drawPace, type Nemesis, type Pace, Repeater } from "./nemesis.ts";

export interface BadLinkOptions extends Pace {
  readonly trouble: readonly Trouble[];
  readonly lengthMaxMs: number;
}

const troubles = ["slow", "lossy", "late", "clogging", "flipping", "resetting"] as const;
type Trouble = (typeof troubles)[number];

export function drawBadLinks(random: SimRandom): BadLinkOptions {
  const some = troubles.filter(() => random.chance(0.5));
  return {
    trouble: some.length === 0 ? [random.pick(troubles)] : some,
    lengthMaxMs: random.pick([500, 3_000, 10_000]),
    ...drawPace(random),
  };
}

export class BadLinks implements Nemesis {
  readonly name: string;
  readonly #cluster: SimCluster;
  readonly #options: BadLinkOptions;
  readonly #repeater: Repeater;
  readonly #bad: Set<Way>;

  constructor(cluster: SimCluster, options: BadLinkOptions) {
    this.name = "bad links";
    this.#cluster = cluster;
    this.#options = options;
    const random = cluster.world.random(`nemesis ${this.name}`);
    this.#repeater = new Repeater(cluster, this.name, random, options, (own) => this.#act(own));
    this.#bad = new Set();
  }

  start(): void {
    this.#repeater.start();
  }

  stop(): void {
    this.#repeater.stop();
    for (const way of this.#bad) way.mendTrouble();
    this.#bad.clear();
  }

  #act(random: SimRandom): void {
    const names = random.shuffle([...this.#cluster.memberNames]);
    const [from, to] = names;
    if (from === undefined || to === undefined) return;
    const { network, world } = this.#cluster;
    const ways = [network.way(from, to)];
    if (random.chance(0.5)) ways.push(network.way(to, from));
    const trouble = random.pick(this.#options.trouble);
    const ms = random.doublings(50, this.#options.lengthMaxMs);
    world.note("network", trouble, { from, to, both: ways.length === 2, ms });
    if (counted[trouble] !== null) world.faults.count(counted[trouble]);
    for (const way of ways) {
      spoil(way, trouble, random);
      this.#bad.add(way);
    }
    world.after(ms * 1000, () => {
      for (const way of ways) if (this.#bad.delete(way)) way.mendTrouble();
    });
  }
}

/** What the network itself counts, send by send, is not counted here. */
const counted: { readonly [K in Trouble]: FaultKind | null } = {
  slow: "network.slow-link",
  lossy: "network.lossy-link",
  late: null,
  clogging: null,
  flipping: null,
  resetting: null,
};

function spoil(way: Way, trouble: Trouble, random: SimRandom): void {
  const { chances } = way;
  switch (trouble) {
    case "slow":
      way.slowFactor = random.pick([10, 100]);
      return;
    case "lossy":
      chances.lossChance = random.between(10, 600) / 1000;
      return;
    case "late":
      chances.lateChance = random.between(10, 300) / 1000;
      return;
    case "clogging":
      chances.clogChance = random.between(1, 20) / 1000;
      return;
    case "flipping":
      chances.flipChance = random.between(1, 50) / 1000;
      return;
    case "resetting":
      chances.resetChance = random.between(1, 50) / 1000;
  }
}
