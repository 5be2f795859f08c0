// Membership arithmetic. Rows for each transition and refusal; then every change between any two
// configurations of five members, by brute force: quorums of neighbours always intersect, a leave
// ends at what was asked for, a rollback at what was there.
import { deepEqual, equal } from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ConfChange, ConfChangeSingle, ConfChangeType, ConfTransition } from "../conf-change.ts";
import { ConfState } from "../types.ts";
import type { NodeId } from "../types.ts";
import { applyChange, isConfChangeError } from "./change.ts";
import { describeConfState, isJoint, memberIds } from "./conf-state.ts";

const nothing = new Uint8Array(0);
const single = (type: ConfChangeType, node: NodeId): ConfChangeSingle =>
  new ConfChangeSingle(type, node);
const changeOf = (
  transition: ConfTransition,
  changes: readonly ConfChangeSingle[] = [],
): ConfChange => new ConfChange(transition, changes, nothing);

const leave = changeOf(ConfTransition.Leave);
const rollback = changeOf(ConfTransition.Rollback);

/** `v4 l5 r1 u2`: voter, learner, remove, update; a first word names another transition. */
function parseChange(text: string): ConfChange {
  const transitions: Readonly<Record<string, ConfTransition>> = {
    joint: ConfTransition.JointAutoLeave,
    explicit: ConfTransition.JointExplicit,
    leave: ConfTransition.Leave,
    rollback: ConfTransition.Rollback,
  };
  const types: Readonly<Record<string, ConfChangeType>> = {
    v: ConfChangeType.AddVoter,
    l: ConfChangeType.AddLearner,
    r: ConfChangeType.Remove,
    u: ConfChangeType.Update,
  };
  const words = text.split(" ").filter(Boolean);
  const named = transitions[words[0] ?? ""];
  const changes = words
    .slice(named === undefined ? 0 : 1)
    .map((word) => single(types[word[0]!]!, Number(word.slice(1))));
  return changeOf(named ?? ConfTransition.Auto, changes);
}

function must(conf: ConfState, change: ConfChange): ConfState {
  const next = applyChange(conf, change);
  if (isConfChangeError(next)) throw new Error(`${describeConfState(conf)}: ${next.reason}`);
  return next;
}

function walk(from: ConfState, changes: readonly string[]): string {
  let conf = from;
  for (const change of changes) {
    const next = applyChange(conf, parseChange(change));
    if (isConfChangeError(next)) return `refused: ${next.reason}`;
    conf = next;
  }
  return describeConfState(conf);
}

const three = new ConfState([1, 2, 3], [], [], [], false);
const withLearner = new ConfState([1, 2, 3], [], [4], [], false);

test("simple changes: at most one voter changes, learners as many as wanted", () => {
  const rows: readonly (readonly [ConfState, string, string])[] = [
    [three, "v4", "voters=(1 2 3 4)"],
    [three, "r3", "voters=(1 2)"],
    [three, "l4 l5", "voters=(1 2 3) learners=(4 5)"],
    [three, "l3", "voters=(1 2) learners=(3)"],
    [three, "v4 l5", "voters=(1 2 3 4) learners=(5)"],
    [three, "u2", "voters=(1 2 3)"],
    [three, "v2", "voters=(1 2 3)"],
    [three, "r9", "voters=(1 2 3)"],
    [withLearner, "v4", "voters=(1 2 3 4)"],
    [withLearner, "r4", "voters=(1 2 3)"],
    [withLearner, "r4 v5", "voters=(1 2 3 5)"],
    [withLearner, "l4", "voters=(1 2 3) learners=(4)"],
  ];
  for (const [from, change, after] of rows) equal(walk(from, [change]), after, change);
});

test("Auto is joint as soon as two voters change, and leaves by itself", () => {
  const rows: readonly (readonly [ConfState, string, string])[] = [
    [three, "v4 v5", "voters=(1 2 3 4 5)&&(1 2 3) autoLeave"],
    [three, "r3 v4", "voters=(1 2 4)&&(1 2 3) autoLeave"],
    [three, "l3 v4", "voters=(1 2 4)&&(1 2 3) learnersNext=(3) autoLeave"],
    [withLearner, "v4 r3", "voters=(1 2 4)&&(1 2 3) learnersOutgoing=(4) autoLeave"],
    [withLearner, "r4 r3 v5", "voters=(1 2 5)&&(1 2 3) autoLeave"],
    [
      withLearner,
      "l5 r3 v6",
      "voters=(1 2 6)&&(1 2 3) learners=(4 5) learnersOutgoing=(4) autoLeave",
    ],
  ];
  for (const [from, change, after] of rows) equal(walk(from, [change]), after, change);
});

test("joint when asked for, with or without automatic leave, for one voter too", () => {
  equal(walk(three, ["joint v4"]), "voters=(1 2 3 4)&&(1 2 3) autoLeave");
  equal(walk(three, ["explicit v4"]), "voters=(1 2 3 4)&&(1 2 3)");
  equal(walk(three, ["explicit l3"]), "voters=(1 2)&&(1 2 3) learnersNext=(3)");
});

test("leave: coming learners become learners, the outgoing half is gone", () => {
  equal(walk(three, ["l3 v4", "leave"]), "voters=(1 2 4) learners=(3)");
  equal(walk(withLearner, ["v4 r3", "leave"]), "voters=(1 2 4)");
  equal(walk(withLearner, ["explicit r1", "leave"]), "voters=(2 3) learners=(4)");
});

test("rollback: who came goes, who was promoted or demoted is again what it was", () => {
  equal(walk(three, ["l3 v4", "rollback"]), "voters=(1 2 3)");
  equal(walk(withLearner, ["v4 r3", "rollback"]), "voters=(1 2 3) learners=(4)");
  equal(walk(withLearner, ["l5 v6 r3", "rollback"]), "voters=(1 2 3) learners=(4)");
});

test("rollback does not bring back a learner that was removed: it may have been told", () => {
  equal(walk(withLearner, ["r4 r3 v5", "rollback"]), "voters=(1 2 3)");
});

test("refusals", () => {
  const one = new ConfState([1], [], [2], [], false);
  const none = new ConfState([], [], [], [], false);
  const rows: readonly (readonly [ConfState, readonly string[], string])[] = [
    [one, ["r1"], "no voter would be left"],
    [one, ["l1"], "no voter would be left"],
    [one, ["joint r1"], "no voter would be left"],
    [three, ["r1 r2 r3"], "no voter would be left"],
    [three, [""], "there are no changes"],
    [three, ["joint"], "there are no changes"],
    [three, ["v4 r4"], "a change names one member twice"],
    [three, ["v0"], "not a raft id"],
    [three, [`v${2 ** 53}`], "not a raft id"],
    [three, ["leave"], "not in a joint configuration"],
    [three, ["rollback"], "not in a joint configuration"],
    [three, ["v4 v5", "leave v6"], "this transition takes no changes"],
    [three, ["v4 v5", "v6"], "already in a joint configuration"],
    [three, ["v4 v5", "joint v6"], "already in a joint configuration"],
    [three, ["v4 v5", "l6"], "already in a joint configuration"],
    [three, ["v4 v5", "u1"], "already in a joint configuration"],
    [three, ["v4 v5", "leave", "leave"], "not in a joint configuration"],
    [none, ["v1"], "there is no configuration yet"],
    [none, ["v1 v2"], "there is no configuration yet"],
  ];
  for (const [from, changes, reason] of rows) {
    equal(walk(from, changes), `refused: ${reason}`, changes.join("; "));
  }
});

test("the given configuration is never touched", () => {
  const frozen = Object.freeze([1, 2, 3]);
  const learners = Object.freeze([4]);
  const conf = Object.freeze(new ConfState(frozen, [], learners, [], false));
  const joint = must(conf, parseChange("v4 r3 v5"));
  for (const set of [joint.voters, joint.votersOutgoing, joint.learners, joint.learnersNext]) {
    Object.freeze(set);
  }
  must(Object.freeze(joint), leave);
  must(joint, rollback);
});

// Brute force. A configuration of five members is one letter each: voter, learner or nothing.

type Shape = readonly ("v" | "l" | "_")[];

function shapes(count: number): Shape[] {
  if (count === 0) return [[]];
  return shapes(count - 1).flatMap((shape) => (["v", "l", "_"] as const).map((s) => [...shape, s]));
}

function idsOf(shape: Shape, letter: "v" | "l"): NodeId[] {
  return shape.flatMap((each, i) => (each === letter ? [i + 1] : []));
}

const confOf = (shape: Shape): ConfState =>
  new ConfState(idsOf(shape, "v"), [], idsOf(shape, "l"), [], false);

const typeOf = {
  v: ConfChangeType.AddVoter,
  l: ConfChangeType.AddLearner,
  _: ConfChangeType.Remove,
} as const;

function changesBetween(from: Shape, to: Shape): ConfChangeSingle[] {
  return to.flatMap((letter, i) => (letter === from[i] ? [] : [single(typeOf[letter], i + 1)]));
}

const bit = (id: NodeId): number => 1 << (id - 1);

/** For every subset of five members, as a bit mask: whether it decides in this configuration. */
function deciding(conf: ConfState): boolean[] {
  const isMajority = (voters: readonly NodeId[], subset: number): boolean =>
    voters.length === 0 ||
    2 * voters.filter((id) => (subset & bit(id)) !== 0).length > voters.length;
  return Array.from(
    { length: 32 },
    (_, subset) => isMajority(conf.voters, subset) && isMajority(conf.votersOutgoing, subset),
  );
}

function sharesAllQuorums(before: ConfState, after: ConfState): boolean {
  const [a, b] = [deciding(before), deciding(after)];
  // Two disjoint quorums exist exactly when some subset decides here and its complement there.
  return a.every((decides, subset) => !decides || !b[31 ^ subset]);
}

test("five members: any configuration to any other, every neighbour intersects, both ways end right", () => {
  const all = shapes(5).filter((shape) => shape.includes("v"));
  let simple = 0;
  let joint = 0;
  for (const from of all) {
    const before = confOf(from);
    for (const to of all) {
      const changes = changesBetween(from, to);
      if (changes.length === 0) continue;
      const between = must(before, changeOf(ConfTransition.Auto, changes));
      equal(sharesAllQuorums(before, between), true, `${from.join("")} to ${to.join("")}`);
      if (!isJoint(between)) {
        simple++;
        deepEqual(between, confOf(to));
        continue;
      }
      joint++;
      const left = must(between, leave);
      const back = must(between, rollback);
      deepEqual(left, confOf(to));
      const backShape = from.map((letter, i) => (letter === "l" && to[i] === "_" ? "_" : letter));
      deepEqual(back, confOf(backShape));
      equal(sharesAllQuorums(between, left), true);
      equal(sharesAllQuorums(between, back), true);
    }
  }
  // 211 configurations; Auto goes joint exactly when two voters or more change.
  equal(simple + joint, 211 * 210);
  equal(joint, all.flatMap((from) => all.filter((to) => votersDiffering(from, to) > 1)).length);
});

function votersDiffering(from: Shape, to: Shape): number {
  return from.filter((letter, i) => (letter === "v") !== (to[i] === "v")).length;
}

test("the check can fail: a jump over two voters has disjoint quorums", () => {
  const before = new ConfState([1, 2, 3], [], [], [], false);
  const after = new ConfState([1, 4, 5], [], [], [], false);
  equal(sharesAllQuorums(before, after), false);
});

test("any walk keeps the invariants; every neighbour intersects; a refusal changes nothing", () => {
  const anyChange = fc.record({
    transition: fc.constantFrom(...Object.values(ConfTransition)),
    changes: fc.array(
      fc
        .record({
          type: fc.constantFrom(...Object.values(ConfChangeType)),
          node: fc.integer({ min: 1, max: 5 }),
        })
        .map(({ type, node }) => single(type, node)),
      { maxLength: 4 },
    ),
  });
  const leaving = fc.constantFrom(
    { transition: ConfTransition.Leave, changes: [] },
    { transition: ConfTransition.Rollback, changes: [] },
  );
  const steps = fc.array(fc.oneof({ weight: 3, arbitrary: anyChange }, leaving), {
    minLength: 20,
    maxLength: 40,
  });
  let applied = 0;
  fc.assert(
    fc.property(steps, (changes) => {
      let conf = new ConfState([1], [], [], [], false);
      for (const { transition, changes: singles } of changes) {
        const before = JSON.stringify(conf);
        const next = applyChange(conf, changeOf(transition, singles));
        equal(JSON.stringify(conf), before);
        if (isConfChangeError(next)) continue;
        applied++;
        checkByHand(next);
        equal(sharesAllQuorums(conf, next), true, `${before} to ${JSON.stringify(next)}`);
        conf = next;
      }
    }),
    { numRuns: 400 },
  );
  equal(applied > 1000, true, "the walks must get somewhere");
});

/** The invariants once more, in other words than conf-state.ts has them. */
function checkByHand(conf: ConfState): void {
  equal(conf.voters.length > 0, true);
  const { voters, votersOutgoing: outgoing, learners, learnersNext, learnersOutgoing } = conf;
  for (const set of [voters, outgoing, learners, learnersNext, learnersOutgoing]) {
    deepEqual(
      set,
      [...new Set(set)].toSorted((a, b) => a - b),
    );
  }
  const has = (set: readonly NodeId[]) => (id: NodeId) => set.includes(id);
  equal(learners.some(has([...voters, ...outgoing])), false);
  equal(learnersNext.every(has(outgoing)), true);
  equal(learnersNext.some(has(voters)), false);
  equal(learnersOutgoing.every(has(memberIds(conf))), true);
  equal(learnersOutgoing.some(has(outgoing)), false);
  if (outgoing.length === 0) {
    equal(learnersNext.length + learnersOutgoing.length, 0);
    equal(conf.autoLeave, false);
  }
}
