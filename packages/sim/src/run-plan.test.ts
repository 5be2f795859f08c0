// A plan as text and back: what a command line says is what a report prints.
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  formatNumbers,
  makeRun,
  parseFamilies,
  parseNumbers,
  planArguments,
  planOf,
} from "./run-plan.ts";

test("numbers as ranges, and back", () => {
  for (const [numbers, text] of [
    [[3], "3"],
    [[0, 1, 2, 7, 9, 10], "0-2,7,9-10"],
    [[5, 6], "5-6"],
  ] as const) {
    assert.equal(formatNumbers(numbers), text);
    assert.deepEqual(parseNumbers(text), numbers);
  }
  for (const bad of ["", "a", "3-", "-3", "9-3", "1,,2", "0-99999999"]) {
    assert.equal(parseNumbers(bad), null, bad);
  }
});

test("families by name; the first unknown one is named", () => {
  assert.deepEqual(parseFamilies("crashes,wipes"), ["crashes", "wipes"]);
  assert.equal(parseFamilies("crashes,tides"), "tides");
});

test("the arguments name all that differs from the seed alone", () => {
  const plan = { ...planOf(7), targeted: true, seconds: 2.5, refuse: [1, 2, 3] };
  assert.equal(planArguments(plan), "--seed 7 --targeted --seconds 2.5 --refuse 1-3");
  assert.equal(
    planArguments({
      ...planOf(0),
      members: 5,
      clients: 1,
      without: ["wipes"],
      calmNetwork: true,
      auth: true,
      search: true,
    }),
    "--seed 0 --members 5 --clients 1 --without wipes --calm-network --auth --search",
  );
  assert.equal(planArguments({ ...planOf(0), damage: "atlas" }), "--seed 0 --damage atlas");
});

test("a plan decides the options of its run", () => {
  const plan = { ...planOf(3), members: 5, clients: 2, seconds: 1.5, calmNetwork: true };
  const { options } = makeRun({ ...plan, damage: "beyond", without: ["crashes", "partitions"] });
  assert.equal(options.members, 5);
  assert.equal(options.clients, 2);
  assert.equal(options.safetyMs, 1500);
  assert.equal(options.faults.crashes, null);
  assert.equal(options.faults.partitions, null);
  assert.deepEqual(options.network, {});
  assert.equal(options.damage, "beyond");
  assert.equal(options.search, false);
  assert.equal(makeRun({ ...plan, search: true }).options.search, true);
  assert.notEqual(makeRun({ ...plan, auth: true }).options.auth, null);
  assert.equal(makeRun({ ...plan, seed: 20 }).options.search, true);
});
