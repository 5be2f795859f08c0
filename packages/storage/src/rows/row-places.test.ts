// Places, cache and dead rows against naive twins.
import test from "node:test";
import { deepStrictEqual as deepEqual, ok, strictEqual as equal } from "node:assert";
import { Prng } from "@quorate/base";
import type { Row } from "@quorate/kv";
import { testRow } from "../testing/test-member.ts";
import { DeadRows } from "./dead-rows.ts";
import { RowCache } from "./row-cache.ts";
import { RowPlaces } from "./row-places.ts";

test("dense and sparse places find every row, and nothing else", () => {
  for (let seed = 1; seed <= 40; seed++) {
    const prng = new Prng(seed);
    const firstRef = prng.below(2 ** 40);
    const places = new RowPlaces(firstRef);
    const twin = new Map<number, number>();
    const sparse = prng.chance(0.5);
    let ref = firstRef;
    for (let i = 0; i < 500; i++) {
      const offset = 64 + 100 * i;
      if (sparse) {
        ref += prng.chance(0.7) ? 0 : prng.below(1000);
        places.pushSparse(ref, offset);
      } else {
        places.push(offset);
      }
      twin.set(ref, offset);
      ref += 1;
    }
    if (prng.chance(0.5)) places.trim();
    equal(places.count, 500);
    const refs = [...twin.keys()];
    for (let probe = firstRef - 3; probe < ref + 3; probe++) {
      const position = places.find(probe);
      equal(position >= 0 ? places.offsetAt(position) : undefined, twin.get(probe));
      if (position >= 0) equal(places.refAt(position), probe);
      const bound = places.lowerBound(probe);
      equal(
        bound < 500 ? places.refAt(bound) : undefined,
        refs.find((r) => r >= probe),
      );
      if (probe - firstRef > 2000) break;
    }
  }
});

test("the cache keeps what is used within its bytes, and forgets the rest", () => {
  const cache = new RowCache(100_000);
  const row = (ref: number): Row => testRow(ref, 0, `key ${ref}`, "v".repeat(500));
  for (let ref = 0; ref < 1000; ref++) {
    cache.put(ref, row(ref));
    equal(cache.get(7)?.main ?? 7, 7);
  }
  let kept = 0;
  for (let ref = 0; ref < 1000; ref++) if (cache.get(ref) !== null) kept += 1;
  ok(kept <= 100_000 / 800, `${kept} rows kept`);
  ok(kept >= 30, `${kept} rows kept`);
  ok(cache.get(999) !== null);
  cache.put(5000, testRow(1, 0, "k", "v".repeat(60_000)));
  equal(cache.get(5000), null, "more than half of it would push everything out");
  cache.clear();
  equal(cache.get(999), null);
  const none = new RowCache(0);
  none.put(1, row(1));
  equal(none.get(1), null);
});

test("dead rows as of any capture that still matters agree with a list of deaths", () => {
  for (let seed = 1; seed <= 15; seed++) {
    const prng = new Prng(seed);
    const dead = new DeadRows();
    const diedAt = new Map<number, number>();
    let capture = 1;
    let inForce = 1;
    for (let step = 0; step < 300; step++) {
      const draw = prng.below(10);
      if (draw === 0) capture += 1;
      else if (draw === 1) inForce = capture;
      else {
        const position = prng.below(400);
        equal(dead.mark(position, 10, capture, inForce), !diedAt.has(position));
        if (!diedAt.has(position)) diedAt.set(position, capture);
      }
      for (const at of new Set([inForce, capture])) {
        const expected = [...diedAt].filter(([, died]) => died < at).map(([position]) => position);
        const view = dead.at(at);
        equal(view.count, expected.length);
        equal(view.bytes, 10 * expected.length);
        for (let position = 0; position < 400; position++) {
          equal(view.has(position), expected.includes(position));
        }
      }
    }
    deepEqual([dead.count, dead.bytes], [diedAt.size, 10 * diedAt.size]);
  }
});
