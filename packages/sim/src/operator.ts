// The operator of a simulated cluster, as a service manager would be: whatever process has ended is
// started again after a while. A member that stopped because its data is damaged or not its own is
// started again a few times too, as by somebody who reads no logs, and must stop again each time;
// then it stays down until somebody repairs it, and is counted.
import { ExitCode } from "@quorate/storage";
import type { ClusterOperator, SimCluster } from "./cluster.ts";
import { isMendedByStart } from "./damage/damage-marks.ts";
import type { SimProcess } from "./sim-env.ts";
import type { SimMember } from "./sim-member.ts";
import type { SimRandom } from "./sim-random.ts";

/** Starts after an end by damage. */
const startsOfDamagedMax = 2;

export class Operator implements ClusterOperator {
  /** Members that nothing is started of: it is the scenario's own business. */
  readonly leftAlone: Set<string>;
  /** Longest time that a dead process stays dead. */
  delayMaxMs: number;
  readonly #cluster: SimCluster;
  readonly #random: SimRandom;
  /** Member → how often it may be started yet; absent: any number of times. */
  readonly #startsLeft: Map<string, number>;

  constructor(cluster: SimCluster) {
    this.leftAlone = new Set(cluster.absent);
    this.delayMaxMs = 2_000;
    this.#cluster = cluster;
    this.#random = cluster.world.random("operator");
    this.#startsLeft = new Map();
  }

  /** To be called for every process that has ended. */
  ended(member: SimMember, incarnation: SimProcess): void {
    const { exitCode, reason } = incarnation;
    if (isMendedByStart(reason)) return this.startLater(member);
    if (exitCode === ExitCode.Damaged || exitCode === ExitCode.Foreign) {
      this.startsAtMost(member, this.#random.below(startsOfDamagedMax + 1));
    }
    if (exitCode === ExitCode.Removed) this.leftAlone.add(member.name);
    this.startLater(member);
  }

  takeBack({ name }: SimMember): void {
    this.leftAlone.delete(name);
    this.#startsLeft.delete(name);
  }

  /** Also after a power loss of a machine on which nothing ran. */
  startLater(member: SimMember): void {
    const { world } = this.#cluster;
    const ms = this.#random.doublings(1, this.delayMaxMs);
    world.after(ms * 1000, () => this.startNow(member));
  }

  startsAtMost(member: SimMember, starts: number): void {
    const { name } = member;
    const left = Math.min(starts, this.#startsLeft.get(name) ?? starts);
    this.#startsLeft.set(name, left);
    if (left === 0) this.leftAlone.add(name);
  }

  startNow(member: SimMember): void {
    const { name } = member;
    if (member.running || this.leftAlone.has(name)) return;
    const left = this.#startsLeft.get(name);
    if (left !== undefined) {
      if (left === 0) {
        this.leftAlone.add(name);
        return;
      }
      this.#startsLeft.set(name, left - 1);
    }
    this.#cluster.start(name);
  }
}
