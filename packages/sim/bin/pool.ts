// Threads that carry out runs: each gets the next plan when it has finished the one before. With one
// job everything happens in this thread.
import { once } from "node:events";
import { Worker } from "node:worker_threads";
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
  const threads = Array.from({ length: jobs }, () => thread(next, done));
  await Promise.all(threads);
}

async function thread(
  next: () => RunPlan | null,
  done: (outcome: RunOutcome) => void,
): Promise<void> {
  const first = next();
  if (first === null) return;
  const worker = new Worker(new URL("./worker.ts", import.meta.url));
  const failed = once(worker, "error").then(([error]) => {
    throw error instanceof Error ? error : new Error(String(error));
  });
  try {
    for (let plan: RunPlan | null = first; plan !== null; plan = next()) {
      worker.postMessage(plan);
      const answered = once(worker, "message").then(([outcome]) => outcome as RunOutcome);
      done(await Promise.race([answered, failed]));
    }
  } finally {
    failed.catch(() => undefined);
    await worker.terminate();
  }
}
