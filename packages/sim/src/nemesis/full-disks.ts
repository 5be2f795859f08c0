// Disks fill up, by somebody else's files, and get their room back after a while. What is refused for
// lack of room ends the process (71); it comes back when there is room again.
import type { SimCluster } from "../cluster.ts";
import type { SimMember } from "../sim-member.ts";
import { roomyBytes } from "../sim-disk.ts";
import type { SimRandom } from "../sim-random.ts";
import { type Nemesis, type Pace, Repeater } from "./nemesis.ts";

export interface FullDiskOptions extends Pace {
  readonly lengthMaxMs: number;
}

export function drawFullDisks(random: SimRandom): FullDiskOptions {
  return {
    lengthMaxMs: random.pick([1_000, 10_000]),
    pauseMinMs: 1_000,
    pauseMaxMs: random.pick([10_000, 30_000]),
  };
}

export class FullDisks implements Nemesis {
  readonly name: string;
  readonly #cluster: SimCluster;
  readonly #options: FullDiskOptions;
  readonly #repeater: Repeater;

  constructor(cluster: SimCluster, options: FullDiskOptions) {
    this.name = "fullDisks";
    this.#cluster = cluster;
    this.#options = options;
    const random = cluster.world.random(`nemesis ${this.name}`);
    this.#repeater = new Repeater(cluster, this.name, random, options, (own) => this.#act(own));
  }

  start(): void {
    for (const member of this.#cluster.members) {
      member.disk.onFull = () => this.#refused(member);
    }
    this.#repeater.start();
  }

  stop(): void {
    this.#repeater.stop();
    for (const { disk } of this.#cluster.members) {
      disk.capacityBytes = roomyBytes;
      disk.onFull = null;
    }
  }

  #refused(member: SimMember): void {
    this.#cluster.budget?.blame(member);
    this.#cluster.world.faults.count("disk.full");
  }

  #act(random: SimRandom): void {
    const { disk } = random.pick(this.#cluster.members);
    const capacityBytes = disk.usedBytes + random.below(200_000);
    disk.capacityBytes = capacityBytes;
    const ms = random.doublings(50, this.#options.lengthMaxMs);
    this.#cluster.world.after(ms * 1000, () => {
      if (disk.capacityBytes === capacityBytes) disk.capacityBytes = roomyBytes;
    });
  }
}
