// One process of the simulator: carries out a run at a time and sends back what it showed. It ends
// with the channel to the one that started it.
import { carryOut } from "../src/report/failure.ts";
import type { RunPlan } from "../src/run-plan.ts";

const send = process.send?.bind(process);
if (send === undefined) throw new Error("worker.ts runs as a child process only");
// Ctrl-C reaches all processes of the terminal: the run under way ends, as the one above says.
process.on("SIGINT", () => undefined);
process.on("message", (plan) => send(carryOut(plan as RunPlan, null)));
