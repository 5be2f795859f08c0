// Against the set of the language.
import assert from "node:assert/strict";
import { test } from "node:test";
import { World } from "../world.ts";
import { NumberSet } from "./number-set.ts";
import { UnionFind } from "./union-find.ts";

test("a number set holds what a set holds, through every growth", () => {
  const random = new World(1).random("numbers");
  const own = new NumberSet();
  const other = new Set<number>();
  for (let i = 0; i < 20_000; i++) {
    const number = random.chance(0.5) ? random.below(5_000) : random.below(2 ** 53);
    assert.equal(own.add(number), !other.has(number));
    other.add(number);
    assert.equal(own.size, other.size);
  }
});

test("joined numbers have one root, others do not", () => {
  const union = new UnionFind(6);
  union.join(0, 1);
  union.join(2, 3);
  union.join(1, 3);
  assert.deepEqual(new Set([0, 1, 2, 3].map((number) => union.rootOf(number))).size, 1);
  assert.deepEqual(new Set([0, 4, 5].map((number) => union.rootOf(number))).size, 3);
});
