// How one run is carried out for a report: its figures, or the property that did not hold with the
// story of how that came about.
import { Violation } from "../checkers/violation.ts";
import { makeRun, type RunPlan } from "../run-plan.ts";
import { type RunFigures, figuresOf } from "./summary.ts";
import { timeline } from "./timeline.ts";

/** Travels between processes. */
export interface RunFailure {
  /** Id of the property, or "assertion". */
  readonly property: string;
  readonly message: string;
  readonly stack: string;
  readonly story: readonly string[];
  readonly members: string;
  readonly atMs: number;
  /** Acts and operations that had been asked for. */
  readonly actions: number;
  readonly plan: RunPlan;
}

export type RunOutcome =
  | { readonly ok: true; readonly figures: RunFigures }
  | { readonly ok: false; readonly failure: RunFailure };

const storySource = 4_000;

/** `sink`: hears every line of the trace. */
export function carryOut(plan: RunPlan, sink: ((line: string) => void) | null): RunOutcome {
  const run = makeRun(plan);
  run.world.trace.sink = sink;
  try {
    return { ok: true, figures: figuresOf(run.run()) };
  } catch (thrown) {
    const error = thrown instanceof Error ? thrown : new Error(String(thrown));
    const failure: RunFailure = {
      property: error instanceof Violation ? error.property : "assertion",
      message: error.message,
      stack: error.stack ?? error.message,
      story: timeline(run.world.trace.newest(storySource)),
      members: run.describe(),
      atMs: run.world.nowMs,
      actions: run.world.actions.actions.length,
      plan,
    };
    return { ok: false, failure };
  }
}
