// Directories vanish before the cluster is founded: a machine is set up anew, or somebody starts
// over. Only while no started genesis is on any disk: a wipe after that needs a rejoin (P3).
import type { SimCluster } from "../cluster.ts";
import { UnsyncedFate } from "../disk/sim-file.ts";
import { durableImage } from "../durable-image.ts";
import type { SimRandom } from "../sim-random.ts";
import { type Nemesis, type Pace, Repeater } from "./nemesis.ts";

export type WipeOptions = Pace;

export function drawWipes(random: SimRandom): WipeOptions {
  return { pauseMinMs: 1, pauseMaxMs: random.pick([100, 400]) };
}

export class Wipes implements Nemesis {
  readonly name: string;
  readonly #cluster: SimCluster;
  readonly #repeater: Repeater;

  constructor(cluster: SimCluster, pace: WipeOptions) {
    this.name = "wipes";
    this.#cluster = cluster;
    const random = cluster.world.random("nemesis wipes");
    this.#repeater = new Repeater(cluster, this.name, random, pace, (own) => this.#act(own));
  }

  start(): void {
    this.#repeater.start();
  }

  stop(): void {
    this.#repeater.stop();
  }

  #act(random: SimRandom): void {
    if (this.#started()) return this.#repeater.stop();
    const member = random.pick(this.#cluster.members);
    if (member.running) member.kill();
    // The kill may have let a write through that was on its way.
    if (this.#started()) return this.#repeater.stop();
    this.#cluster.wipe(member.name);
    this.#cluster.world.faults.count("process.wipe");
  }

  /** Some power loss could leave, or some process already has, a started genesis. */
  #started(): boolean {
    return this.#cluster.members.some((member) => {
      const { disk, config } = member;
      return durableImage(disk, config, UnsyncedFate.Keep, 1).genesis !== null;
    });
  }
}
