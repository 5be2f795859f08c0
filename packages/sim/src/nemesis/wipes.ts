// Directories vanish before the cluster is founded: a machine is set up anew, or somebody starts
// over. Only while no started genesis is on any disk: a wipe after that needs a rejoin (P3).
import type { SimCluster } from "../cluster.ts";
import { UnsyncedFate } from "../disk/sim-file.ts";
import { durableImage } from "../durable-image.ts";
import type { SimRandom } from "../sim-random.ts";
import { type Nemesis, Repeater } from "./nemesis.ts";

export class Wipes implements Nemesis {
  readonly name: string;
  count: number;
  readonly #cluster: SimCluster;
  readonly #random: SimRandom;
  readonly #repeater: Repeater;

  constructor(cluster: SimCluster, pauses: { readonly minMs: number; readonly maxMs: number }) {
    this.name = "wipes";
    this.count = 0;
    this.#cluster = cluster;
    this.#random = cluster.world.random("nemesis wipes");
    this.#repeater = new Repeater(cluster, this.#random, pauses, () => this.#act());
  }

  start(): void {
    this.#repeater.start();
  }

  stop(): void {
    this.#repeater.stop();
  }

  #act(): void {
    if (this.#started()) return this.#repeater.stop();
    const member = this.#random.pick(this.#cluster.members);
    if (member.running) member.kill();
    // The kill may have let a write through that was on its way.
    if (this.#started()) return this.#repeater.stop();
    this.#cluster.wipe(member.name);
    this.count++;
  }

  /** Some power loss could leave, or some process already has, a started genesis. */
  #started(): boolean {
    return this.#cluster.members.some((member) => {
      const { disk, config } = member;
      return durableImage(disk, config, UnsyncedFate.Keep, 1).genesis !== null;
    });
  }
}
