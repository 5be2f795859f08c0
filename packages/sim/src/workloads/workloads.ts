// All workloads by name. A new one is one file beside this one, one name and one row here; `mixed`
// then has it, too.
import type { Limits } from "../checkers/evidence.ts";
import { Compactions } from "./compactions.ts";
import { Known } from "./known.ts";
import { LargeValues } from "./large-values.ts";
import { Mixed } from "./mixed.ts";
import { Ranges } from "./ranges.ts";
import { Registers } from "./registers.ts";
import { Transactions } from "./transactions.ts";
import { Transfers } from "./transfers.ts";
import { UniquePuts } from "./unique-puts.ts";
import type { Workload } from "./workload.ts";

type PartName =
  | "registers"
  | "unique-puts"
  | "transactions"
  | "ranges"
  | "compactions"
  | "large-values"
  | "transfers";
export type WorkloadName = PartName | "mixed";

const parts: Readonly<Record<PartName, (known: Known) => Workload>> = {
  registers: (known) => new Registers(known),
  "unique-puts": (known) => new UniquePuts(known),
  transactions: (known) => new Transactions(known),
  ranges: (known) => new Ranges(known),
  compactions: (known) => new Compactions(known),
  "large-values": (known) => new LargeValues(known),
  transfers: (known) => new Transfers(new Registers(known)),
};

const partNames = Object.keys(parts) as readonly PartName[];
export const workloadNames: readonly WorkloadName[] = [...partNames, "mixed"];

/** `limits`: of the cluster that it is to load. */
export function makeWorkload(name: WorkloadName, limits: Limits): Workload {
  const known = new Known(limits);
  if (name !== "mixed") return parts[name](known);
  return new Mixed(partNames.map((part) => parts[part](known)));
}
