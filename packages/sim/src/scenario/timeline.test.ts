// A timeline tells everything that differs, and counts what goes on repeating itself.
import assert from "node:assert/strict";
import { test } from "node:test";
import { World } from "../world.ts";
import { Timeline } from "./timeline.ts";

function told(tell: (timeline: Timeline, world: World) => void): string[] {
  const lines: string[] = [];
  const world = new World(1);
  const timeline = new Timeline(world, (line) => lines.push(line));
  tell(timeline, world);
  assert.deepEqual(timeline.report(), lines, "the report has what was printed");
  return lines.map((line) => line.replace(/ +/g, " ").trim());
}

test("two events that take turns are told three times each, then counted with the last one's time", () => {
  const lines = told((timeline, world) => {
    for (let round = 0; round < 10; round++) {
      timeline.tell("m0", "starts");
      timeline.tell("m0", "ends");
      world.runFor(1);
    }
    timeline.tell("story", "holds");
  });
  const rounds = [0, 1, 2].flatMap((ms) => [`${ms}.0 ms m0 starts`, `${ms}.0 ms m0 ends`]);
  const rest = ["9.0 ms … and so on: 14 more lines like these", "10.0 ms story holds"];
  assert.deepEqual(lines, [...rounds, ...rest]);
});

test("the same act of other members, or with another outcome, is told", () => {
  const acts = ["m0 starts", "m1 starts", "m2 starts", "m0 starts", "m1 starts", "m2 starts"];
  const lines = told((timeline) => {
    for (let round = 0; round < 3; round++) {
      for (const act of acts) timeline.tell(...(act.split(" ") as [string, string]));
    }
    for (let n = 0; n < 5; n++) timeline.tell("m0", `ends, ${n}`);
  });
  assert.equal(lines.length, 3 * acts.length + 5);
});

test("what repeats itself at the end of a story that failed is counted in its report", () => {
  const lines = told((timeline) => {
    for (let n = 0; n < 5; n++) timeline.tell("m0", "ends");
    timeline.report();
  });
  assert.deepEqual(lines.slice(3), ["0.0 ms … and so on: 2 more lines like these"]);
});
