// Each shape of a cut, by who still reaches whom.
import assert from "node:assert/strict";
import { test } from "node:test";
import { World } from "../world.ts";
import { pairsOf, PartitionShape, partitionShapes } from "./partition-shapes.ts";

const names = ["a", "b", "c", "d", "e"];

/** Whom each member reaches, sorted. */
function reach(shape: PartitionShape, members: readonly string[], seed: number): string[][] {
  const pairs = pairsOf(shape, members, new World(seed).random("shapes"));
  const cut = new Set(pairs.flatMap(([a, b]) => [`${a}${b}`, `${b}${a}`]));
  assert.equal(cut.size, pairs.length * 2, "each pair once, nobody with itself");
  return members.map((a) => members.filter((b) => a !== b && !cut.has(`${a}${b}`)));
}

test("split: two groups, whole inside", () => {
  const sizes = new Set<number>();
  for (let seed = 0; seed < 30; seed++) {
    const reached = reach(PartitionShape.Split, names, seed);
    const group = [names[0]!, ...reached[0]!];
    sizes.add(group.length);
    for (const [at, name] of names.entries()) {
      const own = group.includes(name) ? group : names.filter((other) => !group.includes(other));
      assert.deepEqual([name, ...reached[at]!].sort(), own);
    }
  }
  assert.deepEqual(
    [...sizes].sort((a, b) => a - b),
    [1, 2, 3, 4],
  );
});

test("isolate: the first reaches nobody, the others all but it", () => {
  const others = ["b", "c", "d", "e"];
  const rest = others.map((name) => others.filter((other) => other !== name));
  assert.deepEqual(reach(PartitionShape.Isolate, names, 1), [[], ...rest]);
});

test("pair: only two members do not reach each other", () => {
  const reached = reach(PartitionShape.Pair, names, 1);
  assert.deepEqual(reached[0], ["c", "d", "e"]);
  assert.deepEqual(reached[2], ["a", "b", "d", "e"]);
});

test("bridge: the first reaches everybody, and nobody else reaches both sides", () => {
  for (let seed = 0; seed < 30; seed++) {
    const reached = reach(PartitionShape.Bridge, names, seed);
    assert.deepEqual(reached[0], ["b", "c", "d", "e"]);
    for (const [at, others] of reached.entries()) {
      if (at > 0) assert.ok(others.includes("a") && others.length < 4);
    }
  }
});

test("ring: everybody reaches the two neighbours, and through them all", () => {
  for (const others of reach(PartitionShape.Ring, names, 1)) assert.equal(others.length, 2);
  assert.deepEqual(reach(PartitionShape.Ring, names, 1)[0], ["b", "e"]);
});

test("three and two members: every shape cuts something; one member: nothing", () => {
  for (const shape of partitionShapes) {
    for (const count of [2, 3]) {
      const random = new World(1).random("shapes");
      assert.ok(pairsOf(shape, names.slice(0, count), random).length > 0);
    }
    assert.deepEqual(pairsOf(shape, ["a"], new World(1).random("shapes")), []);
  }
});
