// Processes stand still for a while and go on as if nothing had happened: stopped from outside
// (SIGSTOP, a migrated machine), busy in their own event loop (a long collection of garbage), or
// asleep with their whole machine, whose monotonic clock sleeps too.
import type { SimCluster } from "../cluster.ts";
import type { SimMember } from "../sim-member.ts";
import type { SimRandom } from "../sim-random.ts";
import { drawPace, type Nemesis, type Pace, Repeater } from "./nemesis.ts";

export interface PauseOptions extends Pace {
  readonly kinds: readonly PauseKind[];
  readonly lengthMaxMs: number;
}

const pauseKinds = ["stop", "stall", "suspend"] as const;
type PauseKind = (typeof pauseKinds)[number];

const stallMaxMs = 5_000;
/** A pause as of this length is a long one: longer than any election timeout here. */
const longMs = 5_000;

export function drawPauses(random: SimRandom): PauseOptions {
  const kinds = pauseKinds.filter(() => random.chance(0.6));
  return {
    kinds: kinds.length === 0 ? [random.pick(pauseKinds)] : kinds,
    lengthMaxMs: random.chance(0.3) ? 60_000 : 4_000,
    ...drawPace(random),
  };
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
    for (const member of this.#cluster.members) {
      member.wake();
      const { incarnation } = member;
      if (incarnation !== null && incarnation.alive && incarnation.paused) incarnation.resume();
    }
  }

  #act(random: SimRandom): void {
    const member = random.pick(this.#cluster.members);
    const { incarnation } = member;
    if (incarnation === null || !incarnation.alive || incarnation.paused) return;
    const kind = random.pick(this.#options.kinds);
    const mostMs = kind === "stall" ? stallMaxMs : this.#options.lengthMaxMs;
    const ms = random.doublings(5, mostMs);
    const { world } = this.#cluster;
    world.note(incarnation.name, "paused", { kind, ms });
    if (ms >= longMs) world.faults.count("process.long-pause");
    this.#pause(member, kind, ms);
  }

  #pause(member: SimMember, kind: PauseKind, ms: number): void {
    const { world } = this.#cluster;
    const incarnation = member.incarnation!;
    switch (kind) {
      case "stop":
        world.faults.count("process.pause");
        incarnation.pause();
        world.after(ms * 1000, () => {
          if (incarnation.alive && incarnation.paused) incarnation.resume();
        });
        return;
      case "stall":
        world.faults.count("process.stall");
        member.stall(ms);
        return;
      case "suspend":
        world.faults.count("process.suspend");
        member.suspend();
        world.after(ms * 1000, () => member.wake());
    }
  }
}
