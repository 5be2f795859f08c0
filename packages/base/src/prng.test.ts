// Random numbers: the published generator, streams that never change, ranges without bias.
import { deepEqual, equal, notDeepEqual, notEqual, ok, throws } from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { AssertionError } from "./assert.ts";
import { Prng } from "./prng.ts";
import { Xoshiro128 } from "./xoshiro.ts";

const draw = (prng: Prng, count: number): number[] =>
  Array.from({ length: count }, () => prng.u32());

test("Xoshiro128 gives the reference sequence of state 1, 2, 3, 4", () => {
  const generator = new Xoshiro128(1, 2, 3, 4);
  const expected = [11520, 0, 5927040, 70819200, 2031721883, 1637235492, 1287239034, 3734860849];
  deepEqual(
    expected.map(() => generator.u32()),
    expected,
  );
  throws(() => new Xoshiro128(0, 0, 0, 0), AssertionError);
});

test("Xoshiro128 agrees with a twin in BigInt", () => {
  const mask = 0xffffffffn;
  const rotate = (x: bigint, k: bigint): bigint => ((x << k) | (x >> (32n - k))) & mask;
  const s = [0xdeadbeefn, 0x12345678n, 0x9abcdef0n, 0xffffffffn];
  const generator = new Xoshiro128(0xdeadbeef, 0x12345678, 0x9abcdef0, 0xffffffff);
  for (let i = 0; i < 1000; i++) {
    equal(BigInt(generator.u32()), (rotate((s[1]! * 5n) & mask, 7n) * 9n) & mask);
    const t = (s[1]! << 9n) & mask;
    s[2]! ^= s[0]!;
    s[3]! ^= s[1]!;
    s[1]! ^= s[2]!;
    s[0]! ^= s[3]!;
    s[2]! ^= t;
    s[3] = rotate(s[3]!, 11n);
  }
});

test("a seed gives the same stream for ever: recorded failures stay reproducible", () => {
  deepEqual(draw(new Prng(1), 3), [2562230599, 3118132565, 2616979699]);
  deepEqual(draw(new Prng("quorate"), 3), [942792205, 531528264, 2028196024]);
  deepEqual(draw(new Prng(1).fork("network"), 3), [2279906911, 3506171965, 2309477972]);
});

test("neighbouring, negative, large and textual seeds give unlike streams", () => {
  const seeds = [0, 1, 2, -1, 2 ** 32, 2 ** 32 + 1, 2 ** 52, "", "0", "1", "a", "b", "aa"];
  const firsts = seeds.map((seed) => draw(new Prng(seed), 2).join(" "));
  equal(new Set(firsts).size, seeds.length);
  throws(() => new Prng(0.5), AssertionError);
});

test("a fork depends on seed and label alone and does not disturb its parent", () => {
  const parent = new Prng(7);
  const untouched = new Prng(7);
  const early = draw(parent.fork("disk"), 5);
  deepEqual(draw(parent, 10), draw(untouched, 10));
  deepEqual(draw(parent.fork("disk"), 5), early);
  notDeepEqual(draw(parent.fork("network"), 5), early);
  notDeepEqual(draw(new Prng(8).fork("disk"), 5), early);
  notDeepEqual(draw(parent.fork("disk").fork("disk"), 5), early);
  notEqual(parent.fork("").u32(), new Prng(7).u32());
});

test("below stays in range for any n and reaches both ends of small ranges", () => {
  fc.assert(
    fc.property(fc.integer(), fc.integer({ min: 1, max: 2 ** 53 }), (seed, n) => {
      const prng = new Prng(seed);
      for (let i = 0; i < 5; i++) {
        const drawn = prng.below(n);
        ok(Number.isInteger(drawn) && drawn >= 0 && drawn < n);
      }
      equal(prng.below(1), 0);
    }),
  );
  for (const n of [0, -1, 1.5, 2 ** 53 + 2, Number.NaN]) {
    throws(() => new Prng(1).below(n), AssertionError);
  }
});

// A biased `u32() % n` puts the first third of 3·2^30 at 1/2 instead of 1/3.
test("below is unbiased where a plain remainder would not be", () => {
  const prng = new Prng("bias");
  for (const n of [3 * 2 ** 30, 3 * 2 ** 51]) {
    let low = 0;
    for (let i = 0; i < 30_000; i++) if (prng.below(n) < n / 3) low++;
    ok(Math.abs(low - 10_000) < 500, `${low} of 30000 in the first third`);
  }
});

test("small ranges, fractions and chances are even", () => {
  const prng = new Prng("even");
  const counts = [0, 0, 0, 0, 0, 0, 0];
  let sum = 0;
  let heads = 0;
  for (let i = 0; i < 70_000; i++) {
    counts[prng.below(7)]!++;
    const fraction = prng.fraction();
    ok(fraction >= 0 && fraction < 1);
    sum += fraction;
    if (prng.chance(0.25)) heads++;
  }
  for (const count of counts) ok(Math.abs(count - 10_000) < 500, `${counts.join(" ")}`);
  ok(Math.abs(sum / 70_000 - 0.5) < 0.01);
  ok(Math.abs(heads - 17_500) < 700);
  equal(prng.chance(0), false);
  equal(prng.chance(1), true);
});

test("u53 lies in [1, 2^52] and uses the high bits", () => {
  const prng = new Prng(3);
  let high = 0;
  for (let i = 0; i < 1000; i++) {
    const drawn = prng.u53();
    ok(Number.isInteger(drawn) && drawn >= 1 && drawn <= 2 ** 52);
    if (drawn > 2 ** 51) high++;
  }
  ok(high > 400 && high < 600);
});

test("pick takes every element, shuffle keeps them all and reaches every order", () => {
  const prng = new Prng(5);
  equal(new Set(Array.from({ length: 100 }, () => prng.pick(["a", "b", "c"]))).size, 3);
  throws(() => prng.pick([]), AssertionError);
  const orders = new Map<string, number>();
  for (let i = 0; i < 6000; i++) {
    const list = [1, 2, 3];
    equal(prng.shuffle(list), list);
    const order = list.join("");
    orders.set(order, (orders.get(order) ?? 0) + 1);
  }
  equal(orders.size, 6);
  for (const count of orders.values()) ok(Math.abs(count - 1000) < 150);
});
