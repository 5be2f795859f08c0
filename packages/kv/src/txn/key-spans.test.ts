// A union of spans against asking each of them.
import { equal } from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { KeySpans } from "./key-spans.ts";

const key = fc.constantFrom("\0", "a", "a\0", "aa", "ab", "b", "ba", "c", "\xff");
const span = fc.record({ from: key, to: fc.oneof(key, fc.constant(null)), single: fc.boolean() });

test("an interval is covered exactly if walking through the spans from its begin reaches its end", () => {
  fc.assert(
    fc.property(fc.array(span, { maxLength: 6 }), key, fc.oneof(key, fc.constant(null)), check),
    { numRuns: 4000 },
  );

  function check(
    spans: readonly { from: string; to: string | null; single: boolean }[],
    from: string,
    to: string | null,
  ): void {
    const plain = spans.map((s) => ({ from: s.from, to: s.single ? `${s.from}\0` : s.to }));
    // Where the walk stands: everything from `from` up to here is covered; null: without end.
    let at: string | null = from;
    for (let moved = true; moved && at !== null;) {
      moved = false;
      for (const one of plain) {
        if (at === null || one.from > at || (one.to !== null && one.to <= at)) continue;
        at = one.to;
        moved = true;
      }
    }
    const begins = at !== from;
    const expected = begins && (at === null || (to !== null && to <= at));
    const union = KeySpans.union(
      spans.map((s) => (s.single ? KeySpans.ofKey(s.from) : KeySpans.of(s.from, s.to))),
    );
    equal(union.covers(from, to), expected);
  }
});

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
