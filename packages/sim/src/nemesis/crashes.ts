// Processes die: kill -9, power loss of one machine or of all at once, graceful stops, and crash
// points inside the process. The operator starts them again, and they may be hit anew while they
// recover.
import type { SimCluster } from "../cluster.ts";
import { DiskOperation } from "../disk/disk-operation.ts";
import { type CrashPlan, EndKind } from "../sim-env.ts";
import type { SimMember } from "../sim-member.ts";
import type { SimRandom } from "../sim-random.ts";
import { type Nemesis, type Pace, Repeater } from "./nemesis.ts";

/** About so long they take. */
const writeTimeUs = 200;
const syncTimeUs = 400;

export interface CrashOptions extends Pace {
  readonly kills: boolean;
  readonly powerLosses: boolean;
  readonly powerLossOfAll: boolean;
  readonly stops: boolean;
  /** Chance of a crash at any mark that is passed. */
  readonly perMark: number;
  /** Chance of a crash while a write that was just submitted is under way. */
  readonly perWrite: number;
  /** Crash at this mark as soon as it is passed the given time; empty: none. */
  readonly target: string;
  readonly targetPass: number;
}

export function drawCrashes(random: SimRandom): CrashOptions {
  const powerLosses = random.chance(0.7);
  return {
    kills: random.chance(0.8),
    powerLosses,
    powerLossOfAll: powerLosses && random.chance(0.6),
    stops: random.chance(0.4),
    perMark: random.pick([0, 0.0001, 0.0004]),
    perWrite: random.pick([0, 0.001, 0.003]),
    target: "",
    targetPass: 0,
    // A cluster that is hit all the time hardly gets to work: most get some seconds in between.
    pauseMinMs: random.pick([50, 200, 1_000]),
    pauseMaxMs: random.pick([3_000, 10_000, 30_000]),
  };
}

export class Crashes implements Nemesis {
  readonly name: string;
  readonly #cluster: SimCluster;
  readonly #options: CrashOptions;
  readonly #random: SimRandom;
  readonly #repeater: Repeater;
  #targetPasses: number;

  constructor(cluster: SimCluster, options: CrashOptions) {
    this.name = "crashes";
    this.#cluster = cluster;
    this.#options = options;
    this.#random = cluster.world.random("nemesis crashes");
    this.#repeater = new Repeater(cluster, this.name, this.#random, options, (random) =>
      this.#act(random),
    );
    this.#targetPasses = 0;
  }

  start(): void {
    this.#cluster.crashPlan = (_, point) => this.#plan(point);
    for (const member of this.#cluster.members) {
      member.disk.onSubmit = (operation, path) => this.#submitted(member, operation, path);
    }
    this.#repeater.start();
  }

  stop(): void {
    this.#repeater.stop();
    this.#cluster.crashPlan = null;
    for (const { disk } of this.#cluster.members) disk.onSubmit = null;
  }

  #plan(point: string): ReturnType<CrashPlan> {
    const { target, targetPass, perMark } = this.#options;
    const aimed = point === target && ++this.#targetPasses === targetPass;
    if (!aimed && (perMark === 0 || !this.#random.chance(perMark))) return null;
    this.#cluster.world.faults.count("process.crash-at-mark");
    return this.#death();
  }

  #submitted(member: SimMember, operation: DiskOperation, path: string): void {
    const { perWrite } = this.#options;
    // Starts and checkpoints make many operations: most crashes are for the log.
    if (!this.#random.chance(path.includes("/wal-") ? perWrite : perWrite / 10)) return;
    const { incarnation } = member;
    const takesUs = operation === DiskOperation.Write ? writeTimeUs : syncTimeUs;
    this.#cluster.world.after(this.#random.below(takesUs), () => {
      if (incarnation === null || !incarnation.alive) return;
      const { powerLosses } = this.#options;
      const how = powerLosses && this.#random.chance(0.8) ? EndKind.PowerLost : EndKind.Killed;
      this.#cluster.world.faults.count("process.kill-while-writing");
      incarnation.kill(how, "while writing");
    });
  }

  #death(): EndKind {
    const { powerLosses } = this.#options;
    return powerLosses && this.#random.chance(0.5) ? EndKind.PowerLost : EndKind.Killed;
  }

  #act(random: SimRandom): void {
    const { kills, powerLosses, powerLossOfAll, stops } = this.#options;
    const { faults } = this.#cluster.world;
    const draw = random.below(10);
    const member = random.pick(this.#cluster.members);
    if (draw === 0 && powerLossOfAll) {
      this.#losePowerOfAll();
    } else if (!member.running) {
      // A machine can lose its power after its process has died, and before anybody restarts it.
      if (powerLosses && member.boots > 0) member.powerLoss();
    } else if (draw <= 4 && powerLosses) {
      faults.count("process.power-loss");
      member.powerLoss();
    } else if (draw <= 6 && stops) {
      faults.count("process.stop");
      member.stop();
    } else if (kills) {
      faults.count("process.kill");
      member.kill();
    }
  }

  #losePowerOfAll(): void {
    const { world, operator, members } = this.#cluster;
    world.note("nemesis", "power loss of all");
    world.faults.count("process.power-loss-of-all");
    this.#cluster.powerLossAll();
    for (const member of members) operator?.startLater(member);
  }
}
