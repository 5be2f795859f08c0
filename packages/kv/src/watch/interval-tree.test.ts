// Method: random ranges go in and out of the tree and of a plain list; both are asked for the ranges
// around random keys. Goal: the tree finds exactly those that hold the key, in order.
import { deepEqual, equal } from "node:assert/strict";
import { test } from "node:test";
import { Prng } from "@quorate/base";
import { IntervalTree } from "./interval-tree.ts";

interface Range {
  readonly key: string;
  readonly end: string | null;
}

const letters = "abcdefgh";
const textOf = ({ key, end }: Range): string => `${key}-${end ?? "*"}`;
const holds = ({ key, end }: Range, at: string): boolean => key <= at && (end === null || at < end);

test("the tree finds exactly the ranges that hold a key, whatever came and went before", () => {
  for (let seed = 0; seed < 200; seed += 1) {
    const random = new Prng(seed);
    const word = (): string =>
      Array.from({ length: random.below(3) + 1 }, () => letters[random.below(8)]).join("");
    const tree = new IntervalTree<Range>();
    const list: Range[] = [];
    for (let step = 0; step < 120; step += 1) {
      const range = { key: word(), end: random.below(4) === 0 ? null : word() };
      const known = list.find((other) => textOf(other) === textOf(range)) ?? null;
      equal(tree.find(range.key, range.end), known);
      if (known === null) {
        tree.add(range);
        list.push(range);
      } else if (random.below(2) === 0) {
        tree.remove(known);
        list.splice(list.indexOf(known), 1);
      }
      if (list.length > 0 && random.below(5) === 0) {
        const [gone] = list.splice(random.below(list.length), 1);
        tree.remove(gone!);
      }
      equal(tree.size, list.length);
      const at = word();
      const found: string[] = [];
      tree.stab(at, (item) => found.push(textOf(item)));
      const expected = list.filter((item) => holds(item, at)).map(textOf);
      deepEqual([...found].sort(), expected.sort());
    }
    const all: string[] = [];
    tree.each((item) => all.push(item.key));
    deepEqual(all, [...all].sort());
  }
});
