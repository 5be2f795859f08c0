// Membership questions of a joint configuration, and every defect that the check must see.
import { deepEqual, doesNotThrow, equal, throws } from "node:assert/strict";
import { test } from "node:test";
import { AssertionError } from "@quorate/base";
import { ConfState } from "../types.ts";
import {
  checkConfState,
  describeConfState,
  isJoint,
  isMember,
  isNodeId,
  isVoter,
  memberIds,
} from "./conf-state.ts";

const joint = new ConfState([1, 2, 7], [1, 2, 3], [5], [3], true, [7]);

test("voters are those of either half; members are voters and learners", () => {
  deepEqual(memberIds(joint), [1, 2, 3, 5, 7]);
  for (const id of [1, 2, 3, 7]) equal(isVoter(joint, id), true);
  for (const id of [4, 5, 6]) equal(isVoter(joint, id), false);
  equal(isMember(joint, 5), true);
  equal(isMember(joint, 4), false);
  equal(isJoint(joint), true);
  equal(isJoint(new ConfState([1], [], [], [], false)), false);
});

test("text form", () => {
  equal(
    describeConfState(joint),
    "voters=(1 2 7)&&(1 2 3) learners=(5) learnersNext=(3) learnersOutgoing=(7) autoLeave",
  );
  equal(describeConfState(new ConfState([4, 9], [], [], [], false)), "voters=(4 9)");
});

test("raft ids are 1 … 2^52", () => {
  for (const id of [1, 2, 2 ** 52]) equal(isNodeId(id), true);
  for (const id of [0, -1, 1.5, 2 ** 52 + 1, 2 ** 53, Number.NaN]) equal(isNodeId(id), false);
});

test("sound configurations pass, each defect is seen", () => {
  const sound = [
    joint,
    new ConfState([1], [], [], [], false),
    new ConfState([], [], [], [], false),
    new ConfState([1], [2], [], [], false),
  ];
  for (const conf of sound) doesNotThrow(() => checkConfState(conf));
  const defective: readonly (readonly [ConfState, RegExp])[] = [
    [new ConfState([2, 1], [], [], [], false), /ascend/],
    [new ConfState([1, 1], [], [], [], false), /ascend/],
    [new ConfState([0], [], [], [], false), /ascend/],
    [new ConfState([], [1], [], [], false), /no voters/],
    [new ConfState([], [], [1], [], false), /no voters/],
    [new ConfState([1], [], [1], [], false), /a learner votes/],
    [new ConfState([1], [2], [2], [], false), /a learner votes/],
    [new ConfState([1], [], [], [2], false), /not an outgoing voter/],
    [new ConfState([1, 2], [1, 2], [], [2], false), /stays a voter/],
    [new ConfState([1], [2], [], [], false, [2]), /is an outgoing voter/],
    [new ConfState([1], [2], [], [], false, [3]), /no member/],
    [new ConfState([1], [], [3], [], false, [3]), /outside a joint phase/],
    [new ConfState([1], [], [], [], true), /outside a joint phase/],
  ];
  for (const [conf, reason] of defective) {
    throws(
      () => checkConfState(conf),
      (error) => error instanceof AssertionError && reason.test(error.message),
      describeConfState(conf),
    );
  }
});
