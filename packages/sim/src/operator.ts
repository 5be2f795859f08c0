// The operator of a simulated cluster, as a service manager would be: whatever process has ended is
// started again after a while. A member that stopped because its data is damaged stays down until
// somebody repairs it, and is counted.
import { ExitCode } from "@quorate/storage";
import type { ClusterOperator, SimCluster } from "./cluster.ts";
import type { SimProcess } from "./sim-env.ts";
import type { SimMember } from "./sim-member.ts";
import type { SimRandom } from "./sim-random.ts";

export class Operator implements ClusterOperator {
  /** Members that nothing is started of: it is the scenario's own business. */
  readonly leftAlone: Set<string>;
  /** Longest time that a dead process stays dead. */
  delayMaxMs: number;
  readonly #cluster: SimCluster;
  readonly #random: SimRandom;

  constructor(cluster: SimCluster) {
    this.leftAlone = new Set();
    this.delayMaxMs = 2_000;
    this.#cluster = cluster;
    this.#random = cluster.world.random("operator");
  }

  /** To be called for every process that has ended. */
  ended(member: SimMember, incarnation: SimProcess): void {
    if (incarnation.exitCode === ExitCode.Damaged) {
      this.leftAlone.add(member.name);
      return;
    }
    this.startLater(member);
  }

  /** Also after a power loss of a machine on which nothing ran. */
  startLater(member: SimMember): void {
    const { world } = this.#cluster;
    const ms = this.#random.doublings(1, this.delayMaxMs);
    world.after(ms * 1000, () => {
      if (!member.running && !this.leftAlone.has(member.name)) this.#cluster.start(member.name);
    });
  }
}
