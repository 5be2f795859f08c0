// The quorums of every phase, what speaks against it (P2), and how it is shown. Rows: voters are
// letters, those that do not answer in capitals.
import { equal, match } from "node:assert/strict";
import { test } from "node:test";
import { phasesOf, preview, reasonAgainst } from "./quorums.ts";
import type { Phase, Voter } from "./quorums.ts";

function voters(letters: string): Voter[] {
  return [...letters].map((letter) => ({
    name: letter.toLowerCase(),
    reachable: letter === letter.toLowerCase(),
  }));
}

function phases(from: string, to: string): Phase[] {
  const today = { label: "before", halves: [voters(from)] };
  return [today, ...phasesOf(today, voters(to), { during: "during", after: "after" })];
}

test("refused: no quorum in a phase, or one that could not lose one more where today could", () => {
  const weak = /the loss of one more voter would stop all writes/;
  const none = /no quorum would answer/;
  const rows: readonly (readonly [string, string, boolean, RegExp | null])[] = [
    ["abc", "abcd", false, null],
    ["abc", "abcde", false, null],
    ["abcde", "abc", false, null],
    ["abcdE", "abc", false, null],
    ["abCde", "abC", false, weak],
    ["abCde", "abC", true, null],
    ["abcDE", "abc", false, null],
    ["abc", "ab", false, weak],
    ["abc", "ab", true, null],
    ["abC", "ab", false, null],
    ["abC", "aC", true, none],
    ["a", "ab", false, null],
    ["ab", "a", false, null],
    ["aBC", "ab", true, /no quorum answers today/],
    ["abc", "", true, none],
  ];
  for (const [from, to, forced, expected] of rows) {
    const reason = reasonAgainst(phases(from, to), forced);
    if (expected === null) equal(reason, null, `${from} ${to}`);
    else match(reason ?? "", expected, `${from} ${to}`);
  }
});

test("one voter more or less needs no joint phase; two do, with both halves shown", () => {
  equal(
    preview(phases("abC", "abCde")),
    `QUORUM
before  2 of 3 needed,  2 answer:  a b (c)
during  2 of 3 needed,  2 answer:  a b (c)
  and   3 of 5 needed,  4 answer:  a b (c) d e
after   3 of 5 needed,  4 answer:  a b (c) d e
`,
  );
  equal(phases("abc", "abcd").length, 2);
  equal(phases("abc", "abd").length, 3);
  equal(phases("abc", "abc").length, 1);
  const long = "x".repeat(30);
  const many = Array.from({ length: 9 }, (_, at) => ({ name: `${long}${at}`, reachable: true }));
  const shown = preview([{ label: "shrinking", halves: [many] }]);
  equal(Math.max(...shown.split("\n").map((line) => line.length)) <= 80, true, shown);
});
