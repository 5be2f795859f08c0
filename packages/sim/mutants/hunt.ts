// Hunts one mutant: run after run until one fails, then the same run without the mutant, which must
// pass. What the code's own failures and plain breakage (a name that is gone, a type that does not
// fit) bring down is not caught. How a run is carried out is not known here.
import { type HuntRun, runArguments, type RunFailure } from "./hunt-run.ts";
import { type Mutant, planFor } from "./mutant.ts";

/** Runs up to the first that failed. */
export interface Carried {
  readonly passed: number;
  readonly failure: RunFailure | null;
}

export interface HuntingGround {
  /** With the mutant in place, one after the other. */
  mutated(mutant: Mutant, plans: readonly HuntRun[]): Promise<Carried>;
  /** Of the same run with the sources as they are; null: it passes. */
  ownFailure(plan: HuntRun): Promise<RunFailure | null>;
}

export interface Hunted {
  readonly mutant: Mutant;
  /** Null: it survived. */
  readonly failure: RunFailure | null;
  /** That failed; null: none did. */
  readonly plan: HuntRun | null;
  readonly seeds: number;
  /** What was wrong with the hunt itself. */
  readonly errors: readonly string[];
}

export interface HuntOptions {
  /** Null: as each mutant says. */
  readonly seedsMax: number | null;
  /** Number of the first run. */
  readonly from: number;
}

const breakage = /^(?:TypeError|ReferenceError|SyntaxError)\b/;

export async function hunt(
  ground: HuntingGround,
  mutant: Mutant,
  { seedsMax, from }: HuntOptions,
): Promise<Hunted> {
  const errors: string[] = [];
  const end = from + (seedsMax ?? mutant.seedsMax);
  for (let at = from; at < end;) {
    const plans = Array.from({ length: end - at }, (_, more) => planFor(mutant, at + more));
    const { passed, failure } = await ground.mutated(mutant, plans);
    at += passed + 1;
    if (failure === null) break;
    const seeds = at - from;
    if (failure.property === "assertion" && breakage.test(failure.stack)) {
      errors.push(`it only breaks the code: ${failure.stack.split("\n", 1)[0]!}`);
      return { mutant, failure: null, plan: null, seeds, errors };
    }
    const plan = plans[passed]!;
    const own = await ground.ownFailure(plan);
    if (own === null) return { mutant, failure, plan, seeds, errors };
    errors.push(`fails without it: ${runArguments(plan)}: ${own.property}: ${own.message}`);
  }
  return { mutant, failure: null, plan: null, seeds: end - from, errors };
}
