// Members that are restarted by plan or by a service manager that does not give up: one dies again
// and again as soon as it is back, or all are stopped and started one after the other.
import type { SimCluster } from "../cluster.ts";
import { Phase } from "@quorate/host";
import type { SimMember } from "../sim-member.ts";
import type { SimRandom } from "../sim-random.ts";
import { type Nemesis, type Pace, Repeater } from "./nemesis.ts";

export interface RestartOptions extends Pace {
  readonly crashLoops: boolean;
  readonly rolling: boolean;
}

export function drawRestarts(random: SimRandom): RestartOptions {
  const crashLoops = random.chance(0.6);
  return {
    crashLoops,
    rolling: !crashLoops || random.chance(0.6),
    pauseMinMs: random.pick([200, 1_000]),
    pauseMaxMs: random.pick([3_000, 20_000]),
  };
}

/** 20 restarts in at most 60 s. */
const loopDeaths = 20;
const loopStepMinMs = 5;
const loopStepMaxMs = 3_000;
/** A rolling restart waits at most so long for a member to be stopped, and to serve again. */
const rollingWaitMaxMs = 8_000;
const lookMs = 20;

export class Restarts implements Nemesis {
  readonly name: string;
  readonly #cluster: SimCluster;
  readonly #options: RestartOptions;
  readonly #repeater: Repeater;
  /** A loop or a round is under way. */
  #busy: boolean;
  /** Started so far: what belongs to an earlier start ends. */
  #starts: number;

  constructor(cluster: SimCluster, options: RestartOptions) {
    this.name = "restarts";
    this.#cluster = cluster;
    this.#options = options;
    const random = cluster.world.random(`nemesis ${this.name}`);
    this.#repeater = new Repeater(cluster, this.name, random, options, (own) => this.#act(own));
    this.#busy = false;
    this.#starts = 0;
  }

  start(): void {
    this.#starts++;
    this.#busy = false;
    this.#repeater.start();
  }

  stop(): void {
    this.#starts++;
    this.#repeater.stop();
  }

  #act(random: SimRandom): void {
    if (this.#busy) return;
    const { crashLoops, rolling } = this.#options;
    const { world, members } = this.#cluster;
    this.#busy = true;
    if (crashLoops && (!rolling || random.chance(0.5))) {
      const member = random.pick(members);
      world.faults.count("process.crash-loop");
      world.note(member.name, "crash loop");
      const stepMs = random.doublings(loopStepMinMs, loopStepMaxMs);
      this.#die(random, member, stepMs, loopDeaths);
    } else {
      world.faults.count("process.rolling-restart");
      world.note("nemesis", "rolling restart");
      this.#roll(random.shuffle([...members]));
    }
  }

  /** Once more, and is back at once. */
  #die(random: SimRandom, member: SimMember, stepMs: number, left: number): void {
    if (member.running && random.chance(0.8)) member.kill();
    else if (member.boots > 0) member.powerLoss();
    if (left === 1) {
      this.#busy = false;
      return;
    }
    this.#later(random.between(1, stepMs), () => {
      this.#cluster.operator?.startNow(member);
      this.#later(random.between(1, stepMs), () => this.#die(random, member, stepMs, left - 1));
    });
  }

  #roll(members: readonly SimMember[]): void {
    const [member, ...rest] = members;
    if (member === undefined) {
      this.#busy = false;
      return;
    }
    if (member.running && member.host !== null) member.stop();
    this.#await(
      () => !member.running,
      () => {
        this.#cluster.operator?.startNow(member);
        this.#await(
          () => this.#cluster.phase(member.name) === Phase.Running,
          () => this.#roll(rest),
        );
      },
    );
  }

  /** Goes on when it is so, or when nobody would wait any longer. */
  #await(condition: () => boolean, then: () => void, leftMs: number = rollingWaitMaxMs): void {
    if (condition() || leftMs <= 0) return then();
    this.#later(lookMs, () => this.#await(condition, then, leftMs - lookMs));
  }

  #later(ms: number, run: () => void): void {
    const starts = this.#starts;
    this.#cluster.world.after(ms * 1000, () => {
      if (this.#starts === starts) run();
    });
  }
}
