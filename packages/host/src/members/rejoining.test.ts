// P3, when a leader gives a member's place to another disk: rows of what was heard, and of the change.
import { deepEqual, equal } from "node:assert/strict";
import { test } from "node:test";
import { applyChange, ConfState, isConfChangeError, isJoint } from "@quorate/raft";
import { MemberRecord } from "./member-record.ts";
import { judge, replacement } from "./rejoining.ts";

const needed = 2000;
const silent = { silentMs: needed, address: "" };
const heard = { silentMs: needed - 1, address: "m9:1" };
const voters = (...ids: readonly number[]): ConfState => new ConfState(ids, [], [], [], false);

test("gone is whom neither a quorum nor any voter that answers has heard for two timeouts", () => {
  const of = (
    conf: ConfState,
    answering: readonly number[],
    answers: readonly (readonly [number, typeof silent])[],
  ): string => {
    const verdict = judge(conf, 9, answering, new Map(answers), needed);
    return typeof verdict === "string" ? verdict : `heard by ${verdict.hearer}`;
  };
  const three = voters(1, 2, 9);
  const five = voters(1, 2, 3, 4, 9);
  const all = [1, 2, 3, 4].map((id) => [id, silent] as const);
  equal(of(three, [2], [[1, silent]]), "unknown");
  equal(of(three, [], [[1, silent]]), "unknown");
  equal(of(three, [2], all.slice(0, 2)), "gone");
  equal(of(three, [2], [[1, heard]]), "heard by 1");
  equal(of(five, [2, 3], all.slice(0, 3)), "gone");
  equal(of(five, [2, 3, 4], all.slice(0, 3)), "unknown");
  equal(of(five, [2, 3], [...all.slice(0, 3), [4, heard]]), "heard by 4");
  // One that does not vote is no witness, and neither is the old process itself.
  equal(of(three, [7], [...all.slice(0, 1), [7, silent], [9, silent]]), "unknown");
});

test("voter for voter with an odd number of voters, learner first with an even one", () => {
  const member = new MemberRecord("a9", 9, "n9", ["http://9:1"], []);
  const after = (conf: ConfState): ConfState => {
    const next = applyChange(conf, replacement(conf, member, 10));
    if (isConfChangeError(next)) throw new Error("not a change");
    return next;
  };
  const odd = after(voters(1, 2, 9));
  equal(isJoint(odd), true);
  deepEqual([odd.voters, odd.votersOutgoing, odd.learners], [[1, 2, 10], [1, 2, 9], []]);
  const even = after(voters(1, 2, 3, 9));
  deepEqual([even.voters, even.learners], [[1, 2, 3], [10]]);
  const learner = after(new ConfState([1, 2, 3], [], [9], [], false));
  deepEqual([learner.voters, learner.learners], [[1, 2, 3], [10]]);
});
