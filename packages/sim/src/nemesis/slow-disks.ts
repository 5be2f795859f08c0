// Disks that are slow, or stall altogether for a while.
import type { SimCluster } from "../cluster.ts";
import type { SimRandom } from "../sim-random.ts";
import { diskTimingsDefault } from "../sim-disk.ts";
import { drawPace, type Nemesis, type Pace, Repeater } from "./nemesis.ts";

export interface SlowDiskOptions extends Pace {
  readonly stallMaxMs: number;
}

export function drawSlowDisks(random: SimRandom): SlowDiskOptions {
  return { stallMaxMs: 3_000, ...drawPace(random) };
}

export class SlowDisks implements Nemesis {
  readonly name: string;
  readonly #cluster: SimCluster;
  readonly #options: SlowDiskOptions;
  readonly #repeater: Repeater;

  constructor(cluster: SimCluster, options: SlowDiskOptions) {
    this.name = "slow disks";
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
    for (const { disk } of this.#cluster.members) Object.assign(disk.timings, diskTimingsDefault);
  }

  #act(random: SimRandom): void {
    const { disk } = random.pick(this.#cluster.members);
    const { faults } = this.#cluster.world;
    const draw = random.below(3);
    if (draw === 0) {
      faults.count("disk.stall");
      disk.stall(random.doublings(10, this.#options.stallMaxMs));
    } else if (draw === 1) {
      Object.assign(disk.timings, diskTimingsDefault);
    } else {
      faults.count("disk.slow");
      disk.timings.syncMaxUs = random.doublings(1_000, 100_000);
      disk.timings.writeMaxUs = random.doublings(200, 20_000);
    }
  }
}
