// Makes a failing run smaller: leaves out families of faults, the weather of the network, clients,
// time, and single acts and operations, as long as the same property fails. Each attempt is a whole
// run, so attempts are bounded; the result is a plan that repeats the failure.
import type { RunFailure } from "./failure.ts";
import { familyNames } from "../nemesis/families.ts";
import type { RunPlan } from "../run-plan.ts";

export type Attempt = (plan: RunPlan) => RunFailure | null;

export class Shrinker {
  readonly #attempt: Attempt;
  readonly #attemptsMax: number;
  #best: RunFailure;
  attempts: number;

  constructor(failure: RunFailure, attempt: Attempt, attemptsMax: number) {
    this.#attempt = attempt;
    this.#attemptsMax = attemptsMax;
    this.#best = failure;
    this.attempts = 0;
  }

  shrink(): RunFailure {
    this.#shorten();
    for (const name of familyNames) {
      const { without } = this.#best.plan;
      if (!without.includes(name)) this.#try({ without: [...without, name] });
    }
    this.#try({ calmNetwork: true });
    this.#try({ damage: "none" });
    for (const clients of [1, 2, 3]) {
      if (this.#try({ clients })) break;
    }
    this.#dropActions();
    this.#shorten();
    return this.#best;
  }

  /** Nothing that happens after the failure is needed. */
  #shorten(): void {
    const seconds = Math.ceil(this.#best.atMs / 1000);
    const now = this.#best.plan.seconds;
    for (const wanted of [seconds / 4, seconds / 2, seconds]) {
      if (now !== null && wanted >= now) continue;
      if (this.#try({ seconds: Math.max(1, Math.round(wanted)) })) return;
    }
  }

  /** Delta debugging (Zeller): ever smaller parts of what happens are left out. */
  #dropActions(): void {
    const wanted = new Set(this.#best.plan.refuse);
    let kept: number[] = [];
    for (let number = 0; number < this.#best.actions; number++) {
      if (!wanted.has(number)) kept.push(number);
    }
    let size = Math.ceil(kept.length / 2);
    while (size >= 1 && this.attempts < this.#attemptsMax) {
      for (let from = 0; from < kept.length && this.attempts < this.#attemptsMax;) {
        const part = kept.slice(from, from + size);
        const refuse = [...this.#best.plan.refuse, ...part].sort((a, b) => a - b);
        if (this.#try({ refuse })) kept = kept.filter((number) => !part.includes(number));
        else from += size;
      }
      size = size === 1 ? 0 : Math.ceil(size / 2);
    }
  }

  #try(change: Partial<RunPlan>): boolean {
    if (this.attempts >= this.#attemptsMax) return false;
    this.attempts++;
    const failure = this.#attempt({ ...this.#best.plan, ...change });
    if (failure === null || failure.property !== this.#best.property) return false;
    this.#best = failure;
    return true;
  }
}
