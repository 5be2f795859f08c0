// All workloads by name. A new one is one file beside this one, one name and one row here.
import { Registers } from "./registers.ts";
import { UniquePuts } from "./unique-puts.ts";
import type { Workload } from "./workload.ts";

export type WorkloadName = "registers" | "unique-puts";

const workloads: Readonly<Record<WorkloadName, () => Workload>> = {
  registers: () => new Registers(),
  "unique-puts": () => new UniquePuts(),
};

export const workloadNames = Object.keys(workloads) as readonly WorkloadName[];

export function makeWorkload(name: WorkloadName): Workload {
  return workloads[name]();
}
