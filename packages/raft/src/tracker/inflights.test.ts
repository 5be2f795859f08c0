// The window against a plain list as its naive twin, and rows for its two bounds (lesson 41).
import { equal, throws } from "node:assert/strict";
import { test } from "node:test";
import { AssertionError } from "@quorate/base";
import fc from "fast-check";
import { Inflights } from "./inflights.ts";

test("full by count", () => {
  const window = new Inflights(2, 1000);
  window.add(1, 0);
  equal(window.full(), false);
  window.add(5, 0);
  equal(window.full(), true);
  window.freeUpTo(1);
  equal(window.full(), false);
});

test("full by bytes; the append that reaches over the bound still goes", () => {
  const window = new Inflights(100, 10);
  window.add(1, 9);
  equal(window.full(), false);
  window.add(2, 500);
  equal(window.full(), true);
  window.freeUpTo(2);
  equal(window.bytes, 0);
  equal(window.full(), false);
});

test("a full window takes nothing, and indexes must grow", () => {
  const window = new Inflights(1, 10);
  window.add(3, 1);
  throws(() => window.add(4, 1), AssertionError);
  const wide = new Inflights(4, 10);
  wide.add(3, 1);
  throws(() => wide.add(3, 1), AssertionError);
  throws(() => new Inflights(0, 1), AssertionError);
  throws(() => new Inflights(1, 0), AssertionError);
});

test("growing while the ring is wrapped keeps the order", () => {
  const window = new Inflights(100, 1000);
  for (let index = 1; index <= 8; index++) window.add(index, 1);
  window.freeUpTo(5);
  for (let index = 9; index <= 30; index++) window.add(index, 1);
  for (let index = 6; index <= 30; index++) {
    equal(window.count, 31 - index);
    window.freeUpTo(index);
  }
  equal(window.count, 0);
});

test("any mix of add, free and reset agrees with a plain list, through growth and wrapping", () => {
  const step = fc.oneof(
    { weight: 6, arbitrary: fc.record({ op: fc.constant("add"), n: fc.nat({ max: 9 }) }) },
    { weight: 3, arbitrary: fc.record({ op: fc.constant("free"), n: fc.nat({ max: 4 }) }) },
    { weight: 1, arbitrary: fc.record({ op: fc.constant("freeAll"), n: fc.constant(0) }) },
    { weight: 1, arbitrary: fc.record({ op: fc.constant("reset"), n: fc.constant(0) }) },
  );
  const limits = fc.record({ messages: fc.integer({ min: 1, max: 40 }), bytes: fc.nat(300) });
  fc.assert(
    fc.property(
      limits,
      fc.array(step, { maxLength: 200, size: "max" }),
      ({ messages, bytes }, steps) => {
        const window = new Inflights(messages, bytes + 1);
        let twin: { index: number; size: number }[] = [];
        let index = 0;
        for (const { op, n } of steps) {
          if (op === "add" && !window.full()) {
            index += 1 + (n % 3);
            window.add(index, n);
            twin.push({ index, size: n });
          } else if (op === "free" || op === "freeAll") {
            const upTo = op === "freeAll" ? index : (twin[0]?.index ?? index) - 1 + n;
            window.freeUpTo(upTo);
            twin = twin.filter((append) => append.index > upTo);
          } else if (op === "reset") {
            window.reset();
            twin = [];
          }
          const size = twin.reduce((sum, append) => sum + append.size, 0);
          equal(window.count, twin.length);
          equal(window.bytes, size);
          equal(window.full(), twin.length >= messages || size >= bytes + 1);
        }
      },
    ),
    { numRuns: 500 },
  );
});
