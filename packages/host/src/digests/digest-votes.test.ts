// The rule of the majority (reliability.md §3.8): rows of who holds what at one index, and what one
// member has to make of it. Method: digests are letters; a voter without one has not told.
import { equal } from "node:assert/strict";
import { test } from "node:test";
import { ConfState } from "@quorate/raft";
import type { DigestPoint } from "../peers/peers-api.ts";
import { describeDifference, judge, Verdict } from "./digest-votes.ts";

const { Open, Agreed, Odd, NoMajority } = Verdict;

const pointOf = (letter: string): DigestPoint => {
  const code = letter.charCodeAt(0);
  return { index: 7, liveLow: code, liveHigh: 2, applyLow: 3, applyHigh: 4 };
};

/** "aab." : of members 1, 2, 3 and 4 by what they hold. */
const pointsOf = (held: string): Map<number, DigestPoint> =>
  new Map(
    [...held].flatMap((letter, at) => (letter === "." ? [] : [[at + 1, pointOf(letter)] as const])),
  );

const plain = (...voters: number[]): ConfState => new ConfState(voters, [], [], [], false);
const three = plain(1, 2, 3);
const five = plain(1, 2, 3, 4, 5);
const joint = new ConfState([1, 2, 3], [3, 4, 5], [], [], false);

const rows: readonly [string, ConfState, string, number, Verdict][] = [
  ["all agree", three, "aaa", 1, Agreed],
  ["two of three are enough", three, "aa.", 1, Agreed],
  ["the third is the odd one", three, "aab", 3, Odd],
  ["and the others are not", three, "aab", 1, Agreed],
  ["alone nothing is known", three, "a..", 1, Open],
  ["two that differ wait for the third", three, "ab.", 1, Open],
  ["three that differ", three, "abc", 1, NoMajority],
  ["a member without a point is not judged", three, ".aa", 1, Open],
  ["two voters that differ", plain(1, 2), "ab", 2, NoMajority],
  ["a single voter is its own majority", plain(1), "ab", 1, Agreed],
  ["a learner counts for nobody", three, "ab.a", 1, Open],
  ["and is judged", three, "aa.b", 4, Odd],
  ["strangers do not make a majority", three, "a..bbb", 1, Open],
  ["two of five are outvoted, with different errors", five, "aaabc", 5, Odd],
  ["and with the same error", five, "aaabb", 4, Odd],
  ["two against two, the fifth decides", five, "aabb.", 1, Open],
  ["two, two and another one", five, "aabbc", 1, NoMajority],
  ["no digest can come to three any more", five, "aabcd", 1, NoMajority],
  ["a majority of one half is none", joint, "aabbb", 1, NoMajority],
  ["of both halves is one", joint, "aaaab", 5, Odd],
  ["the other half is silent", joint, "aab..", 3, Open],
];

for (const [what, conf, held, judged, verdict] of rows) {
  test(`digests by majority: ${what}`, () => {
    equal(judge(conf, pointsOf(held), judged).verdict, verdict);
  });
}

test("the odd one is told a point of the majority, an undecided one that of a voter", () => {
  equal(judge(five, pointsOf("baaca"), 1).other?.liveLow, pointOf("a").liveLow);
  equal(judge(three, pointsOf("ab"), 1).otherId, 2);
  equal(judge(three, pointsOf("a..b"), 1).other, null, "a learner's difference is its own affair");
});

test("a difference is named with its index and both digests", () => {
  const own = { index: 7, liveLow: 1, liveHigh: 2, applyLow: 3, applyHigh: 4 };
  equal(
    describeDifference(own, { ...own, liveHigh: 9 }, "m2"),
    "live digest differs at applied index 7: 0000000200000001, and 0000000900000001 of m2",
  );
  equal(
    describeDifference(own, { ...own, applyLow: 9 }, "m2"),
    "apply digest differs at applied index 7: 0000000400000003, and 0000000400000009 of m2",
  );
});
