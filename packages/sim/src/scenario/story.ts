// What a scenario is: a name and a story, told over one cluster or several. Whatever breaks in it
// becomes one failure with the property, the end of its timeline, and the line that repeats it.
import type { Violation } from "../checkers/violation.ts";
import { Scenario } from "./scenario.ts";
import { scenarioDefaults, type ScenarioOptions } from "./scenario-options.ts";

export interface StageOptions {
  readonly seed: number;
  /** Whole tables instead of short forms. */
  readonly full: boolean;
  /** Takes a line of the story or of a table. */
  readonly print: (line: string) => void;
}

export interface Story {
  readonly name: string;
  readonly run: (stage: Stage) => void;
}

/** A story over one cluster. */
export function story(
  name: string,
  options: Partial<ScenarioOptions>,
  tell: (s: Scenario) => void,
): Story {
  return { name, run: (stage) => stage.play("", options, tell) };
}

/** A story over several clusters, one after the other. */
export function stories(name: string, run: (stage: Stage) => void): Story {
  return { name, run };
}

export class Stage {
  readonly name: string;
  readonly seed: number;
  readonly full: boolean;
  readonly print: (line: string) => void;
  /** Of each cluster that has played to its end. */
  readonly unseeds: string[];
  virtualMs: number;
  events: number;

  constructor(name: string, options: StageOptions) {
    this.name = name;
    this.seed = options.seed;
    this.full = options.full;
    this.print = options.print;
    this.unseeds = [];
    this.virtualMs = 0;
    this.events = 0;
  }

  /** Tells one story and demands what must hold after it. `title` tells the clusters apart. */
  play(title: string, options: Partial<ScenarioOptions>, tell: (s: Scenario) => void): void {
    if (title !== "") this.print(`--- ${title}`);
    const all = { ...scenarioDefaults, ...options };
    const s = new Scenario(this.seed, all, all.told ? this.print : () => {});
    try {
      tell(s);
      s.finish();
    } catch (error) {
      throw new ScenarioFailure(this, title, s, error as Error);
    }
    this.unseeds.push(s.world.unseed());
    this.virtualMs += s.nowMs;
    this.events += s.world.eventCount;
  }
}

export class ScenarioFailure extends Error {
  /** What did not hold; for an assertion, its text. */
  readonly property: string;

  constructor(stage: Stage, title: string, s: Scenario, cause: Error) {
    const where = title === "" ? stage.name : `${stage.name} (${title})`;
    const again = `npm run sim -- --scenario ${stage.name} --seed ${stage.seed}`;
    super(
      [
        `${where}, seed ${stage.seed}: ${cause.message}`,
        "",
        ...s.timeline.report(),
        s.describe(),
        `again: ${again}${stage.full ? " --full" : ""}`,
      ].join("\n"),
      { cause },
    );
    this.property = (cause as Partial<Violation>).property ?? cause.message;
  }
}
