// How a quarantine is named, and when a directory has set itself aside too often.
import { strictEqual as equal, match, ok } from "node:assert";
import test from "node:test";
import { isQuarantine, quarantineName, setAsideGapMs, whyNotAgain } from "./quarantine.ts";

const nowMs = Date.UTC(2026, 10, 29, 2, 20, 30, 999);
const hourMs = 3_600_000;

const names = (...agesMs: number[]): string[] =>
  agesMs.map((ageMs) => quarantineName(nowMs - ageMs, []));

test("the name is the time, a free second, and sorts by it", () => {
  equal(quarantineName(nowMs, []), "quarantine-20261129T022030Z");
  const taken = ["quarantine-20261129T022030Z", "quarantine-20261129T022031Z"];
  equal(quarantineName(nowMs, taken), "quarantine-20261129T022032Z");
  for (const wallMs of [-1e15, 0, nowMs, 8e15]) {
    const first = quarantineName(wallMs, []);
    const second = quarantineName(wallMs, [first]);
    ok(isQuarantine(first) && isQuarantine(second) && first < second);
    match(whyNotAgain([first], wallMs)!, /within 10 minutes/);
  }
});

test("once in ten minutes, three times in a day; other names do not count", () => {
  equal(whyNotAgain([], nowMs), null);
  equal(whyNotAgain(["quarantine", "quarantine-now", "rows-0123456789abc"], nowMs), null);
  match(whyNotAgain(names(setAsideGapMs - 1000), nowMs)!, /within 10 minutes/);
  equal(whyNotAgain(names(setAsideGapMs + 1000), nowMs), null);
  equal(whyNotAgain(names(hourMs, 5 * hourMs), nowMs), null);
  match(whyNotAgain(names(hourMs, 5 * hourMs, 23 * hourMs), nowMs)!, /3 times within a day/);
  equal(whyNotAgain(names(hourMs, 5 * hourMs, 25 * hourMs), nowMs), null);
});

test("a clock that has jumped back neither forgets what was just done nor blocks for years", () => {
  match(whyNotAgain(names(-60_000), nowMs)!, /within 10 minutes/);
  equal(whyNotAgain(names(-1000 * 24 * hourMs), nowMs), null);
});
