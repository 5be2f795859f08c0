// Carries out the runs that stdin names, inside the copy of the tree that this file is of, and ends
// with the first that fails. A line of JSON for each; nothing else is printed.
import { text } from "node:stream/consumers";
import { carryOut } from "../src/report/failure.ts";
import type { RunPlan } from "../src/run-plan.ts";
import type { ChildLine } from "./child-line.ts";

const plans = JSON.parse(await text(process.stdin)) as RunPlan[];
for (const plan of plans) {
  const line = lineOf(plan);
  process.stdout.write(`${JSON.stringify(line)}\n`);
  if (!line.ok) break;
}

function lineOf(plan: RunPlan): ChildLine {
  const outcome = carryOut(plan, null);
  if (outcome.ok) return { ok: true };
  const { property, message, stack } = outcome.failure;
  return { ok: false, property, message, stack };
}
