// What counts as caught. Method: a hunting ground of which each case says how its runs end.
import assert from "node:assert/strict";
import { test } from "node:test";
import { hunt, type HuntingGround } from "./hunt.ts";
import type { HuntRun, RunFailure } from "./hunt-run.ts";
import { type Mutant, parseMutant, planFor } from "./mutant.ts";
import { isExpected, summaryLines, tableLine } from "./table.ts";

const mutant: Mutant = parseMutant(
  "kv/sample",
  "A story.\n\nfile: a.ts\ncaught by: S3\nseeds: 6\n--- find\na\n--- replace\nb\n--- end\n",
);
const violation: RunFailure = { property: "S3 log matching", message: "S3: two", stack: "Error" };
const asDeclared = { seedsMax: null, from: 0 };

/** Fails at those of the runs, numbered from 0; `own`: those that fail without the mutant, too. */
class Ground implements HuntingGround {
  readonly #failing: ReadonlyMap<number, RunFailure>;
  readonly #own: ReadonlySet<number>;
  readonly carriedOut: HuntRun[];

  constructor(failing: readonly (readonly [number, RunFailure])[], own: readonly number[]) {
    this.#failing = new Map(failing);
    this.#own = new Set(own);
    this.carriedOut = [];
  }

  async mutated(_: Mutant, plans: readonly HuntRun[]) {
    for (const [passed, plan] of plans.entries()) {
      this.carriedOut.push(plan);
      const failure = this.#failing.get(numberOf(plan));
      if (failure !== undefined) return { passed, failure };
    }
    return { passed: plans.length, failure: null };
  }

  async ownFailure(plan: HuntRun) {
    return this.#own.has(numberOf(plan)) ? violation : null;
  }
}

function numberOf(plan: HuntRun): number {
  for (let number = 0; ; number++) {
    if (JSON.stringify(planFor(mutant, number)) === JSON.stringify(plan)) return number;
  }
}

test("a mutant is caught by the first run that fails with it and passes without", async () => {
  const ground = new Ground(
    [
      [1, violation],
      [4, violation],
    ],
    [1],
  );
  const hunted = await hunt(ground, mutant, asDeclared);
  assert.equal(hunted.failure, violation);
  assert.equal(hunted.seeds, 5);
  assert.deepEqual(hunted.plan, planFor(mutant, 4));
  assert.equal(hunted.errors.length, 1, "that a run fails by itself is told");
  assert.match(tableLine(hunted, 1), /S3 log matching +5 +1\.0$/);
});

test("a mutant that no run of its budget catches survives", async () => {
  const ground = new Ground([[6, violation]], []);
  const hunted = await hunt(ground, mutant, asDeclared);
  assert.equal(hunted.failure, null);
  assert.equal(ground.carriedOut.length, 6);
  assert.match(summaryLines([hunted], 60).join("\n"), /SURVIVED 6 seeds: kv\/sample: A story/);
});

test("what only breaks the code is not caught, but an error", async () => {
  const broken = {
    property: "assertion",
    message: "x is not a function",
    stack: "TypeError: x is",
  };
  const hunted = await hunt(new Ground([[0, broken]], []), mutant, asDeclared);
  assert.equal(hunted.failure, null);
  assert.match(hunted.errors[0]!, /only breaks the code: TypeError/);
});

test("runs begin and end where the command says", async () => {
  const ground = new Ground([[12, violation]], []);
  const hunted = await hunt(ground, mutant, { seedsMax: 4, from: 10 });
  assert.deepEqual(ground.carriedOut.map(numberOf), [10, 11, 12]);
  assert.equal(hunted.seeds, 3);
});

test("a catch by another checker than the file names is told apart", async () => {
  const other = { property: "L1 a leader", message: "L1 a leader: not", stack: "" };
  const caught = async (failure: RunFailure) =>
    hunt(new Ground([[0, failure]], []), mutant, asDeclared);
  assert.equal(isExpected(await caught(violation)), true);
  assert.equal(isExpected(await caught(other)), false);
});
