// All scenarios by name. A new one is one file in stories/ and one row here.
import { assert } from "@quorate/base";
import { partition23 } from "./stories/partition-2-3.ts";
import { Stage, type StageOptions, type Story } from "./story.ts";

const all: readonly Story[] = [partition23];

export const scenarioNames: readonly string[] = all.map(({ name }) => name);

export interface ScenarioResult {
  readonly name: string;
  readonly seed: number;
  readonly virtualMs: number;
  /** Of every cluster of the story, in order. */
  readonly unseed: string;
}

/** Throws a ScenarioFailure, whose message is the whole report. */
export function runScenario(name: string, options: StageOptions): ScenarioResult {
  const found = all.find((story) => story.name === name);
  assert(found !== undefined, () => `no scenario ${name}`);
  const stage = new Stage(name, options);
  found.run(stage);
  return {
    name,
    seed: options.seed,
    virtualMs: stage.virtualMs,
    unseed: stage.unseeds.join("-"),
  };
}
