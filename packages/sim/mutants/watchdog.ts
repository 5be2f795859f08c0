// A thread beside the one that simulates: a run that goes round in circles ends the process. By the
// time of the processor, because a busy machine makes any run late.
import { parentPort, workerData } from "node:worker_threads";

const lookEveryMs = 1_000;

export interface WatchdogData {
  readonly cpuSecondsMax: number;
}

const { cpuSecondsMax } = workerData as WatchdogData;
let startedAt = cpuSeconds();

function cpuSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000_000;
}

// Every message says: a run begins.
parentPort!.on("message", () => {
  startedAt = cpuSeconds();
});
setInterval(() => {
  if (cpuSeconds() - startedAt > cpuSecondsMax) process.kill(process.pid, "SIGALRM");
}, lookEveryMs);
