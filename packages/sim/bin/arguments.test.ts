// The arguments of the simulator's command: what is taken, and what is refused in which words.
import assert from "node:assert/strict";
import { test } from "node:test";
import { parseArguments, simHelp } from "./arguments.ts";

test("without arguments: one run of seed 0 as drawn", () => {
  const given = parseArguments([]);
  assert.ok(typeof given !== "string");
  assert.equal(given.runs, 1);
  assert.equal(given.minutes, null);
  assert.deepEqual([given.plan.seed, given.plan.members, given.plan.refuse], [0, null, []]);
});

test("--minutes runs until time is up, --trace in one process", () => {
  const given = parseArguments(["--minutes", "1.5", "--trace", "--jobs", "4"]);
  assert.ok(typeof given !== "string");
  assert.deepEqual([given.runs, given.minutes, given.jobs], [null, 1.5, 1]);
});

test("a story is taken by name, all or list", () => {
  for (const name of ["all", "list", "partition-2-3"]) {
    const given = parseArguments(["--scenario", name, "--full"]);
    assert.ok(typeof given !== "string");
    assert.deepEqual([given.scenario, given.full], [name, true]);
  }
  assert.match(
    parseArguments(["--scenario", "tides"]) as string,
    /no story tides; --scenario list/,
  );
});

test("wrong usage is one precise line", () => {
  for (const [argv, message] of [
    [["--seeds", "3"], "Unknown option '--seeds'"],
    [["--seed", "x"], "--seed must be a whole number of at least 0, not x"],
    [["--runs", "0"], "--runs must be a whole number of at least 1, not 0"],
    [["--members", "4"], "--members must be one of 1, 3, 5, 7, 9, not 4"],
    [["--minutes", "2", "--runs", "2"], "give --runs or --minutes, not both"],
    [["--refuse", "4-"], "--refuse must be a list like 3,7-12, not 4-"],
    [["--damage", "some"], "--damage must be one of none, atlas, beyond, not some"],
    [["--seconds", "-1"], /argument is ambiguous|must be a number above 0/],
    [["here"], /Unexpected argument 'here'/],
  ] as const) {
    const given = parseArguments(argv);
    assert.ok(typeof given === "string", argv.join(" "));
    if (typeof message === "string") assert.equal(given, message);
    else assert.match(given, message);
    assert.ok(!given.includes("\n"), given);
  }
  assert.match(parseArguments(["--without", "tides"]) as string, /no family tides; there are /);
});

test("the help fits a terminal of 80 columns", () => {
  for (const line of simHelp.split("\n")) assert.ok(line.length <= 80, line);
});
