// Processes stand still for a while and go on as if nothing had happened (SIGSTOP, a migrated
// machine, a long collection of garbage), and wall clocks jump.
import type { SimCluster } from "../cluster.ts";
import type { SimMember } from "../sim-member.ts";
import type { SimRandom } from "../sim-random.ts";
import { drawPace, type Nemesis, type Pace, Repeater } from "./nemesis.ts";

export interface PauseOptions extends Pace {
  readonly wallJumps: boolean;
  readonly lengthMaxMs: number;
}

export function drawPauses(random: SimRandom): PauseOptions {
  return { wallJumps: random.chance(0.5), lengthMaxMs: 4_000, ...drawPace(random) };
}

export class Pauses implements Nemesis {
  readonly name: string;
  readonly #cluster: SimCluster;
  readonly #options: PauseOptions;
  readonly #repeater: Repeater;

  constructor(cluster: SimCluster, options: PauseOptions) {
    this.name = "pauses";
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
    for (const { incarnation } of this.#cluster.members) {
      if (incarnation !== null && incarnation.alive && incarnation.paused) incarnation.resume();
    }
  }

  #act(random: SimRandom): void {
    const member = random.pick(this.#cluster.members);
    if (this.#options.wallJumps && random.chance(0.3)) {
      this.#cluster.world.faults.count("clock.wall-jump");
      member.clock.jumpWall(random.pick([-1, 1]) * random.doublings(10, 100_000_000));
      return;
    }
    this.#pause(random, member);
  }

  #pause(random: SimRandom, member: SimMember): void {
    const { incarnation } = member;
    if (incarnation === null || !incarnation.alive || incarnation.paused) return;
    const ms = random.doublings(5, this.#options.lengthMaxMs);
    this.#cluster.world.note(incarnation.name, "paused", { ms });
    this.#cluster.world.faults.count("process.pause");
    incarnation.pause();
    this.#cluster.world.after(ms * 1000, () => {
      if (incarnation.alive && incarnation.paused) incarnation.resume();
    });
  }
}
