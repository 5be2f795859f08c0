// Processes die: kill -9, power loss of one machine or of all at once, graceful stops, and crash
// points inside the process. Whatever ended is started again after a while, and may be hit anew
// while it recovers.
import type { SimCluster } from "../cluster.ts";
import { DiskOperation } from "../disk/disk-operation.ts";
import { type CrashPlan, EndKind } from "../sim-env.ts";
import type { SimMember } from "../sim-member.ts";
import type { SimRandom } from "../sim-random.ts";
import { type Nemesis, Repeater } from "./nemesis.ts";

/** About so long they take. */
const writeTimeUs = 200;
const syncTimeUs = 400;

export interface CrashOptions {
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
  readonly pauseMinMs: number;
  readonly pauseMaxMs: number;
}

export class Crashes implements Nemesis {
  readonly name: string;
  readonly #cluster: SimCluster;
  readonly #options: CrashOptions;
  readonly #random: SimRandom;
  readonly #repeater: Repeater;
  #targetPasses: number;
  /** Members of which nothing is started again: wiped for good, or the test's own business. */
  readonly leftAlone: Set<string>;

  constructor(cluster: SimCluster, options: CrashOptions) {
    this.name = "crashes";
    this.#cluster = cluster;
    this.#options = options;
    this.#random = cluster.world.random("nemesis crashes");
    const pauses = { minMs: options.pauseMinMs, maxMs: options.pauseMaxMs };
    this.#repeater = new Repeater(cluster, this.#random, pauses, () => this.#act());
    this.#targetPasses = 0;
    this.leftAlone = new Set();
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

  /** To be called for every process that has ended. */
  ended(member: SimMember): void {
    const ms = this.#random.doublings(1, 2000);
    this.#cluster.world.after(ms * 1000, () => {
      if (!member.running && !this.leftAlone.has(member.name)) this.#cluster.start(member.name);
    });
  }

  #plan(point: string): ReturnType<CrashPlan> {
    const { target, targetPass, perMark } = this.#options;
    if (point === target && ++this.#targetPasses === targetPass) return this.#death();
    return perMark > 0 && this.#random.chance(perMark) ? this.#death() : null;
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
      incarnation.kill(how, "while writing");
    });
  }

  #death(): EndKind {
    const { powerLosses } = this.#options;
    return powerLosses && this.#random.chance(0.5) ? EndKind.PowerLost : EndKind.Killed;
  }

  #act(): void {
    const { kills, powerLosses, powerLossOfAll, stops } = this.#options;
    const draw = this.#random.below(10);
    if (draw === 0 && powerLossOfAll) {
      this.#cluster.world.note("nemesis", "power loss of all");
      this.#cluster.powerLossAll();
      for (const member of this.#cluster.members) this.ended(member);
      return;
    }
    const member = this.#random.pick(this.#cluster.members);
    // A machine can lose its power after its process has died, and before anybody restarts it.
    if (!member.running) {
      if (powerLosses && member.boots > 0) member.powerLoss();
    } else if (draw <= 4 && powerLosses) member.powerLoss();
    else if (draw <= 6 && stops) member.stop();
    else if (kills) member.kill();
  }
}
