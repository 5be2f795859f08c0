// All workloads by name. A new one is one file beside this one and one row here.
import { Registers } from "./registers.ts";
import { UniquePuts } from "./unique-puts.ts";
import type { Workload } from "./workload.ts";

const workloads = {
  registers: () => new Registers(),
  "unique-puts": () => new UniquePuts(),
} as const satisfies Record<string, () => Workload>;
export type WorkloadName = keyof typeof workloads;

export const workloadNames = Object.keys(workloads) as readonly WorkloadName[];

export function makeWorkload(name: WorkloadName): Workload {
  return workloads[name]();
}
