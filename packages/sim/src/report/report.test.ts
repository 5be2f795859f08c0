// What many runs and one failed run look like on the screen.
import assert from "node:assert/strict";
import { test } from "node:test";
import { faultKinds } from "../fault-counts.ts";
import { crashPoints } from "../crash-points.ts";
import { damageMarks } from "../damage/damage-marks.ts";
import { rareStates } from "../rare-states.ts";
import { TraceLevel } from "../trace-log.ts";
import { type RunFigures, Summary } from "./summary.ts";
import { timeline } from "./timeline.ts";

function figures(ok: number, leaders: number): RunFigures {
  return {
    seed: 1,
    members: 3,
    virtualMs: 3_600_000,
    ok,
    refused: 1,
    unknown: 2,
    leaders,
    watched: 3,
    searched: leaders > 1 ? 7 : 0,
    boots: 3,
    faults: [["process.kill", 2]],
    marks: [["turn.begin", 5]],
    unseed: "",
  };
}

test("the summary adds up, and names what never happened", () => {
  const summary = new Summary();
  for (const [ok, leaders] of [
    [10, 1],
    [30, 2],
    [20, 3],
  ] as const) {
    summary.add(figures(ok, leaders));
  }
  assert.equal(
    summary.headline(),
    "3 runs, 3.00 virtual hours, 69 operations, median of 20 acknowledged a run, " +
      "a leader change in 67 % of runs",
  );
  assert.deepEqual([summary.searchedRuns, summary.searchedOperations], [2, 14]);
  assert.equal(summary.faultsTotal, 6);
  assert.equal(summary.missingFaults.length, faultKinds.length - 1);
  const marks = crashPoints.length + damageMarks.length + rareStates.length;
  assert.equal(summary.missingMarks.length, marks - 1);
  for (const line of [...summary.faultLines(), ...summary.markLines()]) {
    assert.ok(line.length <= 80, line);
  }
});

test("a timeline has at most 40 lines of equal columns, the newest, without small talk", () => {
  const lines = Array.from({ length: 100 }, (_, n) => ({
    atUs: n * 1000,
    source: n % 2 === 0 ? "m0#1" : "nemesis",
    level: n % 3 === 0 ? TraceLevel.Debug : TraceLevel.Info,
    text: `event ${n} ${"x".repeat(200)}`,
  }));
  const story = timeline(lines);
  assert.equal(story.length, 41);
  assert.ok(story.every((line) => line.length <= 118));
  assert.ok(story.every((line) => line.indexOf("│") === story[0]!.indexOf("│")));
  assert.match(story.at(-1)!, /98\.000 │ m0#1 {6}│ event 98 x/);
  assert.ok(story.every((line) => !line.includes("event 99 ")));
});
