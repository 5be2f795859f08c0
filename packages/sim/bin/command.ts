// The simulator as a command: `npm run sim -- …` and `quorate sim …`. Runs seeds, shows progress, a
// summary, and for a run that failed its story and the line that repeats it.
import { carryOut, type RunFailure, type RunOutcome } from "../src/report/failure.ts";
import { Shrinker } from "../src/report/shrink.ts";
import { hours, Summary } from "../src/report/summary.ts";
import { planArguments, type RunPlan } from "../src/run-plan.ts";
import { parseArguments, type SimArguments, simHelp } from "./arguments.ts";
import { carryOutAll } from "./pool.ts";
import { tellStories } from "./stories.ts";

const progressMs = 5_000;
/** From so many runs on everything must have happened at least once. */
const longRun = 1_000;
const shrinkAttemptsMax = 300;

/** The exit code. */
export async function simCommand(argv: readonly string[]): Promise<number> {
  const given = parseArguments(argv);
  if (typeof given === "string") {
    console.error(`sim: ${given}; --help shows what there is`);
    return 64;
  }
  if (given.help) {
    process.stdout.write(simHelp);
    return 0;
  }
  return given.scenario === null ? new SimRuns(given).carryOut() : tellStories(given);
}

/** As a shell calls the end by SIGINT. */
const interruptedCode = 130;

class SimRuns {
  readonly #given: SimArguments;
  readonly #summary: Summary;
  readonly #failures: RunFailure[];
  readonly #startedMs: number;
  #nextSeed: number;
  #progressAtMs: number;
  /** Ctrl-C: no further runs, what was found is told. */
  #interrupted: boolean;

  constructor(given: SimArguments) {
    this.#given = given;
    this.#summary = new Summary();
    this.#failures = [];
    this.#startedMs = performance.now();
    this.#nextSeed = given.plan.seed;
    this.#progressAtMs = this.#startedMs + progressMs;
    this.#interrupted = false;
  }

  async carryOut(): Promise<number> {
    const { trace, plan, jobs, runs } = this.#given;
    process.once("SIGINT", () => {
      this.#interrupted = true;
      console.error("interrupted: runs under way end; once more ends at once");
    });
    if (trace) {
      for (let next = this.#next(); next !== null; next = this.#next()) {
        this.#done(carryOut(next, (line) => console.log(line)));
      }
    } else {
      const processes = Math.min(jobs, runs ?? jobs);
      await carryOutAll(
        processes,
        () => this.#next(),
        (outcome) => this.#done(outcome),
      );
    }
    if (this.#given.unseed) return this.#failures.length === 0 ? 0 : 1;
    this.#printSummary();
    for (const failure of this.#failures) this.#report(failure);
    const missing = this.#missing();
    for (const line of missing) console.log(line);
    const failed = this.#failures.length > 0 || missing.length > 0;
    if (!failed && this.#interrupted) return interruptedCode;
    if (!failed && runs === 1) console.log(`seed ${plan.seed} passed`);
    return failed ? 1 : 0;
  }

  #next(): RunPlan | null {
    const { plan, runs, minutes } = this.#given;
    const count = this.#nextSeed - plan.seed;
    const over =
      minutes === null
        ? count >= runs!
        : performance.now() - this.#startedMs >= minutes * 60_000 && count > 0;
    return over || this.#interrupted ? null : { ...plan, seed: this.#nextSeed++ };
  }

  #done(outcome: RunOutcome): void {
    if (outcome.ok) {
      this.#summary.add(outcome.figures);
      const { seed, unseed } = outcome.figures;
      if (this.#given.unseed) console.log(`seed ${seed} unseed ${unseed}`);
    } else {
      this.#failures.push(outcome.failure);
      const { plan, message } = outcome.failure;
      console.log(`seed ${plan.seed} FAILED: ${firstLine(message)}`);
    }
    const nowMs = performance.now();
    if (nowMs < this.#progressAtMs || this.#given.unseed) return;
    this.#progressAtMs = nowMs + progressMs;
    console.error(this.#progress());
  }

  #progress(): string {
    const { runs, virtualMs, operations, faultsTotal } = this.#summary;
    const seconds = (performance.now() - this.#startedMs) / 1000;
    const of = this.#given.runs === null ? "" : ` of ${this.#given.runs}`;
    return (
      `${runs + this.#failures.length}${of} seeds, ${hours(virtualMs)} virtual hours, ` +
      `${operations} operations, ${faultsTotal} faults, ${(runs / seconds).toFixed(1)} seeds/s`
    );
  }

  #printSummary(): void {
    const summary = this.#summary;
    if (summary.runs === 0) return;
    const seconds = (performance.now() - this.#startedMs) / 1000;
    const { jobs } = this.#given;
    console.log(summary.headline());
    console.log(
      `${seconds.toFixed(1)} s on ${jobs} process${jobs === 1 ? "" : "es"}: ` +
        `${(summary.virtualMs / 1000 / seconds).toFixed(1)} virtual seconds a second`,
    );
    const { searchedRuns, searchedOperations } = summary;
    console.log(`histories searched through: ${searchedRuns}, of ${searchedOperations} operations`);
    console.log(`revisions that watchers were told of: ${summary.watched}`);
    console.log(`faults injected: ${summary.faultsTotal}`);
    for (const line of summary.faultLines()) console.log(line);
    if (!this.#given.marks) return;
    console.log("marks passed:");
    for (const line of summary.markLines()) console.log(line);
  }

  #report(failure: RunFailure): void {
    const smaller = this.#given.shrink ? this.#shrink(failure) : failure;
    const { plan, property, message, story, members, stack } = smaller;
    console.log(`\nseed ${plan.seed} FAILED at ${(smaller.atMs / 1000).toFixed(3)} virtual s`);
    console.log(property === "assertion" ? `assertion: ${message}` : message);
    for (const line of story) console.log(line);
    console.log(members);
    if (property === "assertion") console.log(stack);
    console.log(`again: npm run sim -- ${planArguments(plan)}`);
  }

  #shrink(failure: RunFailure): RunFailure {
    const attempt = (plan: RunPlan): RunFailure | null => {
      const outcome = carryOut(plan, null);
      return outcome.ok ? null : outcome.failure;
    };
    const shrinker = new Shrinker(failure, attempt, shrinkAttemptsMax);
    const smaller = shrinker.shrink();
    const left = smaller.actions - smaller.plan.refuse.length;
    console.log(
      `shrunk in ${shrinker.attempts} runs: ${left} of ${failure.actions} acts and operations left`,
    );
    return smaller;
  }

  #missing(): string[] {
    const summary = this.#summary;
    const { plan } = this.#given;
    const takenAway =
      plan.without.length > 0 || plan.calmNetwork || plan.damage !== null || plan.members !== null;
    if (summary.runs < longRun || takenAway) return [];
    return [
      ...summary.missingFaults.map((kind) => `MISSING: no run injected ${kind}`),
      ...summary.missingMarks.map((mark) => `MISSING: no run passed the mark ${mark}`),
    ];
  }
}

function firstLine(text: string): string {
  return text.split("\n", 1)[0]!;
}
