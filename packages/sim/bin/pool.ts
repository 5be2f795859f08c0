// Processes that carry out runs: each gets the next plan when it has finished the one before. Threads
// of one process would share its address space, and wait for each other in every allocation. With one
// job everything happens in this process.
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { carryOut, type RunOutcome } from "../src/report/failure.ts";
import type { RunPlan } from "../src/run-plan.ts";

/** `next`: null when there is nothing left to do. */
export async function carryOutAll(
  jobs: number,
  next: () => RunPlan | null,
  done: (outcome: RunOutcome) => void,
): Promise<void> {
  if (jobs === 1) {
    for (let plan = next(); plan !== null; plan = next()) {
      done(carryOut(plan, null));
      // Signals and output have their turn.
      await new Promise(setImmediate);
    }
    return;
  }
  await Promise.all(Array.from({ length: jobs }, () => carryOutApart(next, done)));
}

async function carryOutApart(
  next: () => RunPlan | null,
  done: (outcome: RunOutcome) => void,
): Promise<void> {
  let plan = next();
  if (plan === null) return;
  const worker = fork(fileURLToPath(new URL("./worker.ts", import.meta.url)), {
    serialization: "advanced",
  });
  const ended = endOf(worker);
  try {
    for (; plan !== null; plan = next()) {
      const answered = once(worker, "message") as Promise<[RunOutcome]>;
      worker.send(plan);
      const [outcome] = await Promise.race([answered, ended]);
      done(outcome);
    }
  } finally {
    ended.catch(() => undefined);
    // It ends by itself then.
    if (worker.connected) worker.disconnect();
  }
}

/** Fails when the process ends: none does while it has work. */
async function endOf(worker: ChildProcess): Promise<never> {
  const [code, signal] = (await once(worker, "exit")) as [number | null, string | null];
  throw new Error(`a process of the simulator ended with ${signal ?? `exit code ${code}`}`);
}
