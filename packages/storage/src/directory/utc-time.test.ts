// Against the calendar of the runtime, over all years of four digits from 1970 on.
import { strictEqual as equal } from "node:assert";
import test from "node:test";
import { Prng } from "@quorate/base";
import { utcSeconds, utcText } from "./utc-time.ts";

test("as the runtime's calendar has it, and back", () => {
  const random = new Prng(1);
  const seconds = [0, 951_782_399, 951_782_400, 951_868_800, 4_107_542_399, 4_107_542_400];
  while (seconds.length < 5_000) seconds.push(random.below(253_402_214_400));
  for (const at of seconds) {
    const wanted = new Date(at * 1000).toISOString().replaceAll(/[-:]|\.\d+/g, "");
    equal(utcText(at), wanted);
    equal(utcSeconds(wanted), at);
  }
});

test("outside of these years: the nearest; no such text: null", () => {
  equal(utcText(-1e12), "19700101T000000Z");
  equal(utcText(1e15), "99991231T000000Z");
  equal(utcSeconds("20261129T022030"), null);
});
