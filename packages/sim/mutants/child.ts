// Carries out the runs that stdin names, inside the copy of the tree that this file is of, and ends
// with the first that fails. A line of JSON for each; nothing else is printed.
import { text } from "node:stream/consumers";
import { Worker } from "node:worker_threads";
import { type ChildLine, cpuSecondsMax } from "./child-line.ts";
import { failureOf, type HuntRun } from "./hunt-run.ts";
import type { WatchdogData } from "./watchdog.ts";

const plans = JSON.parse(await text(process.stdin)) as HuntRun[];
const workerData: WatchdogData = { cpuSecondsMax };
const watchdog = new Worker(new URL("./watchdog.ts", import.meta.url), { workerData });
for (const plan of plans) {
  watchdog.postMessage("run");
  const line = lineOf(plan);
  process.stdout.write(`${JSON.stringify(line)}\n`);
  if (!line.ok) break;
}
await watchdog.terminate();

function lineOf(plan: HuntRun): ChildLine {
  const failure = failureOf(plan);
  return failure === null ? { ok: true } : { ok: false, ...failure };
}
