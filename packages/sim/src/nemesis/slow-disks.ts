// Disks that are slow, or stall altogether for a while.
import type { SimCluster } from "../cluster.ts";
import type { SimRandom } from "../sim-random.ts";
import { diskTimingsDefault } from "../sim-disk.ts";
import { type Nemesis, Repeater } from "./nemesis.ts";

export interface SlowDiskOptions {
  readonly pauseMinMs: number;
  readonly pauseMaxMs: number;
  readonly stallMaxMs: number;
}

export class SlowDisks implements Nemesis {
  readonly name: string;
  readonly #cluster: SimCluster;
  readonly #options: SlowDiskOptions;
  readonly #random: SimRandom;
  readonly #repeater: Repeater;

  constructor(cluster: SimCluster, options: SlowDiskOptions) {
    this.name = "slow disks";
    this.#cluster = cluster;
    this.#options = options;
    this.#random = cluster.world.random("nemesis disks");
    const pauses = { minMs: options.pauseMinMs, maxMs: options.pauseMaxMs };
    this.#repeater = new Repeater(cluster, this.#random, pauses, () => this.#act());
  }

  start(): void {
    this.#repeater.start();
  }

  stop(): void {
    this.#repeater.stop();
    for (const { disk } of this.#cluster.members) Object.assign(disk.timings, diskTimingsDefault);
  }

  #act(): void {
    const { disk } = this.#random.pick(this.#cluster.members);
    const draw = this.#random.below(3);
    if (draw === 0) disk.stall(this.#random.doublings(10, this.#options.stallMaxMs));
    else if (draw === 1) Object.assign(disk.timings, diskTimingsDefault);
    else {
      disk.timings.syncMaxUs = this.#random.doublings(1_000, 100_000);
      disk.timings.writeMaxUs = this.#random.doublings(200, 20_000);
    }
  }
}
