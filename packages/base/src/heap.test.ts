// The heap against a sorted array as its naive twin.
import { deepEqual, equal, throws } from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { AssertionError } from "./assert.ts";
import { Heap } from "./heap.ts";

interface Item {
  readonly due: number;
  readonly id: number;
}
const byDue = (a: Item, b: Item): number => a.due - b.due || a.id - b.id;

test("any mix of push, pop, remove, clear agrees with a sorted array", () => {
  const step = fc.oneof(
    { weight: 5, arbitrary: fc.record({ op: fc.constant("push"), n: fc.nat({ max: 20 }) }) },
    { weight: 3, arbitrary: fc.record({ op: fc.constant("pop"), n: fc.constant(0) }) },
    { weight: 3, arbitrary: fc.record({ op: fc.constant("remove"), n: fc.nat() }) },
    { weight: 1, arbitrary: fc.record({ op: fc.constant("absent"), n: fc.nat({ max: 20 }) }) },
    { weight: 1, arbitrary: fc.record({ op: fc.constantFrom("clear", "pop"), n: fc.constant(0) }) },
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
      const heap = new Heap<Item>(byDue);
      let twin: Item[] = [];
      let id = 0;
      for (const { op, n } of steps) {
        if (op === "push") {
          const item = { due: n, id: id++ };
          heap.push(item);
          twin = [...twin, item].sort(byDue);
        } else if (op === "pop") {
          equal(heap.pop(), twin.shift() ?? null);
        } else if (op === "remove" && twin.length > 0) {
          equal(heap.remove(twin[n % twin.length]!), true);
          twin.splice(n % twin.length, 1);
        } else if (op === "absent") {
          equal(heap.remove({ due: n, id: 0 }), false);
        } else if (op === "clear") {
          heap.clear();
          twin = [];
        }
        equal(heap.size, twin.length);
        equal(heap.peek(), twin[0] ?? null);
      }
      const rest: (Item | null)[] = [];
      while (heap.size > 0) rest.push(heap.pop());
      deepEqual(rest, twin);
    }),
    { numRuns: 300 },
  );
});

test("an item stands in the heap once, as soon as remove is in use", () => {
  const heap = new Heap<Item>(byDue);
  const item = { due: 1, id: 1 };
  heap.push(item);
  equal(heap.remove(item), true);
  equal(heap.remove(item), false);
  heap.push(item);
  throws(() => heap.push(item), AssertionError);
  const numbers = new Heap<number>((a, b) => a - b);
  for (const n of [2, 1, 2]) numbers.push(n);
  throws(() => numbers.remove(2), AssertionError);
  deepEqual([numbers.pop(), numbers.pop(), numbers.pop(), numbers.pop()], [1, 2, 2, null]);
});
