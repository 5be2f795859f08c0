// Processes stand still for a while and go on as if nothing had happened (SIGSTOP, a migrated
// machine, a long collection of garbage), and wall clocks jump.
import type { SimCluster } from "../cluster.ts";
import type { SimMember } from "../sim-member.ts";
import type { SimRandom } from "../sim-random.ts";
import { type Nemesis, Repeater } from "./nemesis.ts";

export interface PauseOptions {
  readonly wallJumps: boolean;
  readonly pauseMinMs: number;
  readonly pauseMaxMs: number;
  readonly lengthMaxMs: number;
}

export class Pauses implements Nemesis {
  readonly name: string;
  readonly #cluster: SimCluster;
  readonly #options: PauseOptions;
  readonly #random: SimRandom;
  readonly #repeater: Repeater;

  constructor(cluster: SimCluster, options: PauseOptions) {
    this.name = "pauses";
    this.#cluster = cluster;
    this.#options = options;
    this.#random = cluster.world.random("nemesis pauses");
    const pauses = { minMs: options.pauseMinMs, maxMs: options.pauseMaxMs };
    this.#repeater = new Repeater(cluster, this.#random, pauses, () => this.#act());
  }

  start(): void {
    this.#repeater.start();
  }

  stop(): void {
    this.#repeater.stop();
    for (const { incarnation } of this.#cluster.members) {
      if (incarnation !== null && incarnation.alive && incarnation.paused) incarnation.resume();
    }
  }

  #act(): void {
    const member = this.#random.pick(this.#cluster.members);
    if (this.#options.wallJumps && this.#random.chance(0.3)) {
      member.clock.jumpWall(this.#random.pick([-1, 1]) * this.#random.doublings(10, 100_000_000));
      return;
    }
    this.#pause(member);
  }

  #pause(member: SimMember): void {
    const { incarnation } = member;
    if (incarnation === null || !incarnation.alive || incarnation.paused) return;
    const ms = this.#random.doublings(5, this.#options.lengthMaxMs);
    this.#cluster.world.note(incarnation.name, "paused", { ms });
    incarnation.pause();
    this.#cluster.world.after(ms * 1000, () => {
      if (incarnation.alive && incarnation.paused) incarnation.resume();
    });
  }
}
