// `--scenario NAME`: stories instead of drawn runs, each with `--runs` seeds, one after the other.
import { runScenario, scenarioNames } from "../src/scenario/registry.ts";
import { allScenarios, listScenarios, type SimArguments } from "./arguments.ts";

/** The exit code. */
export function tellStories(given: SimArguments): number {
  const { scenario, plan, full } = given;
  if (scenario === listScenarios) {
    for (const name of scenarioNames) console.log(name);
    return 0;
  }
  const names = scenario === allScenarios ? scenarioNames : [scenario!];
  let failed = 0;
  for (const name of names) {
    for (let seed = plan.seed; seed < plan.seed + (given.runs ?? 1); seed++) {
      if (!tellStory(given, name, seed, full)) failed++;
    }
  }
  return failed === 0 ? 0 : 1;
}

function tellStory(given: SimArguments, name: string, seed: number, full: boolean): boolean {
  const startedMs = performance.now();
  const quiet = given.unseed || given.scenario === allScenarios;
  const print = (line: string): void => {
    if (!quiet) console.log(line);
  };
  try {
    const { virtualMs, unseed } = runScenario(name, { seed, full, print });
    const seconds = ((performance.now() - startedMs) / 1000).toFixed(1);
    const virtual = (virtualMs / 1000).toFixed(1);
    if (given.unseed) console.log(`scenario ${name} seed ${seed} unseed ${unseed}`);
    else console.log(`${name} seed ${seed} passed: ${virtual} virtual s in ${seconds} s`);
    return true;
  } catch (error) {
    console.log((error as Error).message);
    return false;
  }
}
