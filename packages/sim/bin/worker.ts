// One thread of the simulator: carries out a run at a time and sends back what it showed.
import { parentPort } from "node:worker_threads";
import { carryOut } from "../src/report/failure.ts";
import type { RunPlan } from "../src/run-plan.ts";

const port = parentPort;
if (port === null) throw new Error("worker.ts runs as a thread only");
port.on("message", (plan: RunPlan) => port.postMessage(carryOut(plan, null)));
