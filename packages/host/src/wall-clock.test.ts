// Readings that a stamp can bear, whatever the clock says.
import assert from "node:assert/strict";
import { test } from "node:test";
import { wallMsMax, wallReadingMs } from "./wall-clock.ts";

test("whole milliseconds from 1970 to 2200; broken clocks read as the nearest of these", () => {
  const read = (wallMs: number): number =>
    wallReadingMs({ monotonicMs: () => 0, wallMs: () => wallMs });
  assert.equal(read(1_767_225_600_000.75), 1_767_225_600_000);
  assert.equal(read(0), 1);
  assert.equal(read(-5_000), 1);
  assert.equal(read(2 ** 63 / 1e6), wallMsMax);
  assert.equal(read(Infinity), wallMsMax);
  assert.equal(new Date(wallMsMax).toISOString(), "2200-01-01T00:00:00.000Z");
  const revisions = 2 ** 50;
  assert.ok(Number.isSafeInteger(wallMsMax * 1024 + revisions));
});
