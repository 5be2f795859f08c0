// The ring against an array that shifts.
import { equal, throws } from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { AssertionError } from "./assert.ts";
import { Ring } from "./ring.ts";

test("any mix of push, shift, clear agrees with an array", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 40 }),
      fc.array(fc.constantFrom("push", "push", "push", "shift", "shift", "clear?"), {
        maxLength: 300,
      }),
      (capacity, steps) => {
        const ring = new Ring<number>(capacity);
        const twin: number[] = [];
        steps.forEach((op, i) => {
          if (op === "push") {
            const fits = twin.length < capacity;
            equal(ring.push(i), fits);
            if (fits) twin.push(i);
          } else if (op === "shift") {
            equal(ring.shift(), twin.shift() ?? null);
          } else if (i % 11 === 0) {
            ring.clear();
            twin.length = 0;
          }
          equal(ring.size, twin.length);
          equal(ring.full, twin.length === capacity);
          twin.forEach((value, at) => equal(ring.at(at), value));
        });
      },
    ),
  );
});

test("undefined is an item like another", () => {
  const ring = new Ring<undefined>(1);
  equal(ring.push(undefined), true);
  equal(ring.shift(), undefined);
  equal(ring.shift(), null);
});

test("positions outside and capacities that are none assert", () => {
  const ring = new Ring<number>(2);
  ring.push(1);
  for (const i of [-1, 1]) throws(() => ring.at(i), AssertionError);
  for (const capacity of [0, -1, 1.5]) throws(() => new Ring(capacity), AssertionError);
});
