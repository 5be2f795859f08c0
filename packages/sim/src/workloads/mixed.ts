// All other workloads in one run: each operation comes from one of them, by weights that are drawn
// anew again and again, so that in some stretches one has all and in others several overlap.
import { must } from "@quorate/base";
import type { ClientOperation } from "../client/history.ts";
import type { SimCluster } from "../cluster.ts";
import type { SimRandom } from "../sim-random.ts";
import { Redrawn } from "./redrawn.ts";
import type { Background, PlannedOperation, Workload } from "./workload.ts";

export class Mixed implements Workload {
  readonly name: string;
  readonly background: Background;
  readonly #parts: readonly Workload[];
  /** Which of the parts have a say now, some of them several times. */
  readonly #choices: Redrawn<readonly Workload[]>;
  #present: readonly Workload[];
  /** Who planned what is under way. */
  readonly #planners: Map<Uint8Array, Workload>;

  constructor(parts: readonly Workload[]) {
    this.name = "mixed";
    this.background = {
      paceMinMs: 300,
      paceMaxMs: 700,
      act: (cluster, random) => this.#act(cluster, random),
    };
    this.#parts = parts;
    this.#choices = new Redrawn(300, (random) => this.#draw(random));
    this.#present = [];
    this.#planners = new Map();
  }

  next(client: number, random: SimRandom): PlannedOperation {
    this.#present = this.#choices.next(random);
    const planner = random.pick(this.#present);
    const plan = planner.next(client, random);
    this.#planners.set(plan.bytes, planner);
    return plan;
  }

  heard(operation: ClientOperation): void {
    const planner = must(this.#planners.get(operation.bytes), "an operation of this workload");
    this.#planners.delete(operation.bytes);
    planner.heard(operation);
  }

  #draw(random: SimRandom): readonly Workload[] {
    if (random.chance(0.4)) return [random.pick(this.#parts)];
    return Array.from({ length: random.between(2, 5) }, () => random.pick(this.#parts));
  }

  #act(cluster: SimCluster, random: SimRandom): void {
    for (const part of new Set(this.#present)) part.background?.act(cluster, random);
  }
}
