// Random streams: of one seed always the same, of two labels never related.
import assert from "node:assert/strict";
import { test } from "node:test";
import { World } from "./world.ts";

test("between includes both ends and nothing else", () => {
  const random = new World(1).random("x");
  const seen = new Set<number>();
  for (let i = 0; i < 1000; i++) seen.add(random.between(3, 6));
  assert.deepEqual(
    [...seen].sort((a, b) => a - b),
    [3, 4, 5, 6],
  );
});

test("doublings stays in range and visits every order of magnitude about equally", () => {
  const random = new World(2).random("x");
  const counts = new Map<number, number>();
  for (let i = 0; i < 10_000; i++) {
    const drawn = random.doublings(100, 10_000);
    assert.ok(Number.isInteger(drawn) && drawn >= 100 && drawn <= 10_000);
    const band = Math.floor(Math.log2(drawn / 100));
    counts.set(band, (counts.get(band) ?? 0) + 1);
  }
  for (let band = 0; band <= 6; band++) {
    const count = counts.get(band) ?? 0;
    assert.ok(count > 1100 && count < 1800, `band ${band}: ${count}`);
  }
});

test("doublings of a range of one value gives it", () => {
  const random = new World(2).random("x");
  for (let i = 0; i < 10; i++) assert.equal(random.doublings(7, 7), 7);
});
