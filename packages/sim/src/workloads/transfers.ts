// Leadership is handed over about twice a second, to whomever, under the load of another workload; at
// times somebody asks who does not lead, or for one who cannot take over.
import { TransferResult } from "@quorate/host";
import type { ClientOperation } from "../client/history.ts";
import type { SimCluster } from "../cluster.ts";
import type { SimRandom } from "../sim-random.ts";
import type { Background, PlannedOperation, Workload } from "./workload.ts";

const resultNames = Object.keys(TransferResult);

export class Transfers implements Workload {
  readonly name: string;
  readonly background: Background;
  readonly #load: Workload;

  constructor(load: Workload) {
    this.name = "transfers";
    this.background = {
      paceMinMs: 200,
      paceMaxMs: 800,
      act: (cluster, random) => transfer(cluster, random),
    };
    this.#load = load;
  }

  next(client: number, random: SimRandom): PlannedOperation {
    return this.#load.next(client, random);
  }

  heard(operation: ClientOperation): void {
    this.#load.heard(operation);
  }
}

function transfer(cluster: SimCluster, random: SimRandom): void {
  const leader = cluster.leader();
  const asked = leader === null || random.chance(0.1) ? random.pick(cluster.members) : leader;
  const to = random.pick(cluster.members);
  cluster.world.note(asked.name, "leadership transfer asked for", { to: to.name });
  cluster.transferLeadership(asked.name, to, (result) => {
    const outcome = resultNames[result - 1] ?? "";
    cluster.world.note(asked.name, "leadership transfer ended", { to: to.name, outcome });
  });
}
