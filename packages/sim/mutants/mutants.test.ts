// Every mutant still fits the sources, and says enough; and a file that does not is refused. Method:
// the real folder against the real tree, then texts with one thing wrong each.
import assert from "node:assert/strict";
import { test } from "node:test";
import { crashPoints } from "../src/crash-points.ts";
import { runArguments } from "./hunt-run.ts";
import { applyMutant, components, type Mutant, parseMutant, planFor } from "./mutant.ts";
import { mutatedSources, readMutants, workspaceRoot } from "./mutant-files.ts";

const mutantsMin = 24;
const perComponentMin = 4;

const sample = `One line.

file: packages/raft/src/commit.ts
caught by: S4 leader completeness, some text
seeds: 20
--- find
one
--- replace
two
--- end
`;

function sampleWith(changed: string, by: string): Mutant {
  return parseMutant("raft/sample", sample.replace(changed, by));
}

test("every mutant changes the present sources, each in exactly one place per edit", () => {
  for (const mutant of readMutants()) {
    for (const [file, text] of mutatedSources(workspaceRoot, mutant)) {
      assert.ok(text.length > 0, `${mutant.name} leaves nothing of ${file}`);
      assert.match(file, /^packages\/(base|raft|kv|storage|host)\/src\//, mutant.name);
    }
    for (const { find, replace } of mutant.edits) assert.notEqual(find, replace, mutant.name);
  }
});

test(`at least ${mutantsMin} mutants, ${perComponentMin} of each component, with a story each`, () => {
  const mutants = readMutants();
  assert.ok(mutants.length >= mutantsMin);
  for (const component of components) {
    const own = mutants.filter((mutant) => mutant.component === component);
    assert.ok(own.length >= perComponentMin, component);
  }
  for (const { name, story, caughtBy } of mutants) {
    assert.match(story, /^[A-Z].{20,}[.)]$/, name);
    assert.ok(caughtBy.length > 0, name);
  }
});

test("a mutant whose text is gone, or stands twice, is an error", () => {
  const mutant = sampleWith("", "");
  const file = mutant.edits[0]!.file;
  assert.equal(applyMutant(mutant, file, "zero\none\n"), "zero\ntwo\n");
  assert.throws(() => applyMutant(mutant, file, "zero\n"), /stands 0 times/);
  assert.throws(() => applyMutant(mutant, file, "one\none\n"), /stands 2 times/);
});

test("an edit may be of another file", () => {
  const mutant = sampleWith("--- find\n", "--- find packages/raft/src/log.ts\n");
  assert.deepEqual(
    mutant.edits.map(({ file }) => file),
    ["packages/raft/src/log.ts"],
  );
});

const wrong: readonly (readonly [what: string, changed: string, by: string, says: RegExp])[] = [
  ["no file", "file: packages/raft/src/commit.ts\n", "", /no file/],
  ["no checker", "caught by", "found by", /begins with none/],
  ["seeds that are no number", "seeds: 20", "seeds: many", /seeds is no number/],
  ["an unknown option of a run", "seeds: 20", "seeds: 20\nrun: --fast", /run: .*fast/],
  ["all stories at once", "seeds: 20", "seeds: 20\nrun: --scenario all", /run: one story/],
  ["an unknown mark", "seeds: 20", "seeds: 20\nmarks: nowhere", /no mark nowhere/],
  ["nothing to find", "one\n", "\n", /nothing to find/],
  ["no replacement", "--- replace\n", "", /come in pairs|no edit|no end/],
  ["no end", "--- end\n", "", /no end|no edit/],
];
for (const [what, changed, by, says] of wrong) {
  test(`a mutant file with ${what} is refused`, () => {
    assert.throws(() => sampleWith(changed, by), says);
  });
}

test("runs: aimed ones at every mark and others in turn; with marks only those; else as wished", () => {
  const points = crashPoints.length;
  const swarm = sampleWith("", "");
  const aimed = Array.from({ length: 2 * points }, (_, at) => planFor(swarm, at)).filter(
    (plan) => plan.targeted,
  );
  assert.equal(new Set(aimed.map(({ seed }) => seed % points)).size, points);
  assert.equal(aimed.length, points);

  const marked = sampleWith("seeds: 20", "seeds: 20\nmarks: install.marked, genesis.write");
  const marks = Array.from({ length: 4 }, (_, at) => planFor(marked, at).seed % points).map(
    (place) => crashPoints[place]!.mark,
  );
  assert.deepEqual(marks, ["install.marked", "genesis.write", "install.marked", "genesis.write"]);

  const wished = sampleWith("seeds: 20", "seeds: 20\nrun: --members 1 --seconds 5");
  const { seed, members, seconds, targeted } = planFor(wished, 3);
  assert.deepEqual([seed, members, seconds, targeted], [3, 1, 5, false]);

  const told = sampleWith("seeds: 20", "seeds: 20\nrun: --scenario figure-8");
  assert.equal(runArguments(planFor(told, 2)), "--scenario figure-8 --seed 2");
});
