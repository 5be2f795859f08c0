// A union of spans against asking each of them.
import { equal } from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { KeySpans } from "./key-spans.ts";

const key = fc.constantFrom("\0", "a", "a\0", "aa", "ab", "b", "ba", "c", "\xff");
const span = fc.record({ from: key, to: fc.oneof(key, fc.constant(null)), single: fc.boolean() });

test("a key is in a union exactly if it is in one of its spans, however they were joined", () => {
  fc.assert(
    fc.property(fc.array(span, { maxLength: 6 }), key, fc.nat(6), (spans, asked, cut) => {
      const parts = spans.map(({ from, to, single }) =>
        single ? KeySpans.ofKey(from) : KeySpans.of(from, to),
      );
      const expected = spans.some(({ from, to, single }) =>
        single ? asked === from : asked >= from && (to === null || asked < to),
      );
      equal(KeySpans.union(parts).contains(asked), expected);
      const halves = [KeySpans.union(parts.slice(0, cut)), KeySpans.union(parts.slice(cut))];
      equal(KeySpans.union(halves).contains(asked), expected);
    }),
    { numRuns: 2000 },
  );
});
