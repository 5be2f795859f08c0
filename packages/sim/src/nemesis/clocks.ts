// Clocks are wrong: wall clocks jump, by ms or by decades, or run too fast or too slow; monotonic
// ones change their rate. Nothing that matters may depend on a wall clock, and timeouts only bear
// some drift.
import type { SimCluster } from "../cluster.ts";
import type { SimMember } from "../sim-member.ts";
import type { SimRandom } from "../sim-random.ts";
import { drawPace, type Nemesis, type Pace, Repeater } from "./nemesis.ts";

export interface ClockOptions extends Pace {
  readonly kinds: readonly ClockKind[];
  /** Parts in a million that a monotonic clock may be off. */
  readonly driftPpmMax: number;
}

const clockKinds = ["wall-jump", "wall-years", "wall-drift", "drift"] as const;
type ClockKind = (typeof clockKinds)[number];

const yearMs = 31_556_952_000;
/** No correction needed: what quartz does. */
const quartzPpm = 200;

export function drawClocks(random: SimRandom): ClockOptions {
  const kinds = clockKinds.filter(() => random.chance(0.6));
  return {
    kinds: kinds.length === 0 ? [random.pick(clockKinds)] : kinds,
    driftPpmMax: random.pick([quartzPpm, quartzPpm, 100_000]),
    ...drawPace(random),
  };
}

export class Clocks implements Nemesis {
  readonly name: string;
  readonly #cluster: SimCluster;
  readonly #options: ClockOptions;
  readonly #repeater: Repeater;

  constructor(cluster: SimCluster, options: ClockOptions) {
    this.name = "clocks";
    this.#cluster = cluster;
    this.#options = options;
    const random = cluster.world.random(`nemesis ${this.name}`);
    this.#repeater = new Repeater(cluster, this.name, random, options, (own) => this.#act(own));
  }

  start(): void {
    this.#repeater.start();
  }

  /** Rates become right; readings stay as wrong as they are. */
  stop(): void {
    this.#repeater.stop();
    for (const { clock } of this.#cluster.members) {
      clock.setDrift(0);
      clock.setWallDrift(0);
    }
  }

  #act(random: SimRandom): void {
    const member = random.pick(this.#cluster.members);
    const kind = random.pick(this.#options.kinds);
    const { world } = this.#cluster;
    world.faults.count(`clock.${kind}`);
    const by = this.#change(random, member, kind);
    world.note(member.name, "clock", { kind, by });
  }

  #change(random: SimRandom, { clock }: SimMember, kind: ClockKind): number {
    const sign = random.pick([-1, 1]);
    let by: number;
    switch (kind) {
      case "wall-jump":
        by = sign * random.doublings(10, 100_000_000);
        clock.jumpWall(by);
        return by;
      case "wall-years":
        by = sign * random.between(1, 80) * yearMs;
        clock.jumpWall(by);
        return by;
      case "wall-drift":
        by = sign * random.doublings(10, 500_000);
        clock.setWallDrift(by);
        return by;
      case "drift":
        by = random.between(-this.#options.driftPpmMax, this.#options.driftPpmMax);
        clock.setDrift(by);
        return by;
    }
  }
}
