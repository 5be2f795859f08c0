// One run of a hunt: what a seed draws, or a story. How it is named, and how it is carried out.
import { Violation } from "../src/checkers/violation.ts";
import { carryOut } from "../src/report/failure.ts";
import { planArguments, type RunPlan } from "../src/run-plan.ts";
import { runScenario } from "../src/scenario/registry.ts";

export interface HuntRun extends RunPlan {
  /** Null: as the plan draws it; otherwise this story, of which the plan gives the seed. */
  readonly scenario: string | null;
}

export interface RunFailure {
  /** Id of the property; "assertion": a member's own; "time": it came to no end. */
  readonly property: string;
  readonly message: string;
  readonly stack: string;
}

/** The arguments of `npm run sim --` that repeat the run. */
export function runArguments(run: HuntRun): string {
  if (run.scenario === null) return planArguments(run);
  return `--scenario ${run.scenario} --seed ${run.seed}`;
}

/** Null: it passed. */
export function failureOf(run: HuntRun): RunFailure | null {
  if (run.scenario !== null) return storyFailure(run.scenario, run.seed);
  const outcome = carryOut(run, null);
  if (outcome.ok) return null;
  const { property, message, stack } = outcome.failure;
  return { property, message, stack };
}

function storyFailure(name: string, seed: number): RunFailure | null {
  try {
    runScenario(name, { seed, full: false, print: () => undefined });
    return null;
  } catch (thrown) {
    const { cause } = thrown as Error;
    const error = cause instanceof Error ? cause : (thrown as Error);
    const property = error instanceof Violation ? error.property : "assertion";
    return { property, message: error.message, stack: error.stack ?? error.message };
  }
}
