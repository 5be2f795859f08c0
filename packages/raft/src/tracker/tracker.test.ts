// The tracker: who is in it, in which order, and what survives another configuration (P7).
import { deepEqual, equal, ok } from "node:assert/strict";
import { test } from "node:test";
import { isVoter, memberIds } from "../confchange/conf-state.ts";
import { ProgressKind } from "../status.ts";
import { ConfState } from "../types.ts";
import { Tracker } from "./tracker.ts";

const limits = { bytesMax: 1000, tickMs: 10 };
const three = new ConfState([1, 5, 9], [], [7], [], false);

function trackerOf(conf: ConfState): Tracker {
  const tracker = new Tracker(4, 1000, limits);
  tracker.reset(conf, 1, 20, 100);
  return tracker;
}

test("reset: everybody once, ascending, knowing nothing", () => {
  const joint = new ConfState([2, 8], [1, 2], [5], [1], true);
  const tracker = trackerOf(joint);
  deepEqual(
    tracker.all.map((progress) => progress.id),
    [1, 2, 5, 8],
  );
  deepEqual(
    tracker.all.map((progress) => progress.isLearner),
    [false, false, true, false],
  );
  for (const progress of tracker.all) {
    equal(progress.match, 0);
    equal(progress.next, 21);
    equal(progress.lastAnswerTick, 100);
  }
  equal(tracker.get(1)!.kind, ProgressKind.Replicate);
  equal(tracker.get(2)!.kind, ProgressKind.Probe);
});

test("get: members and nobody else", () => {
  const tracker = trackerOf(three);
  for (const id of memberIds(three)) equal(tracker.get(id)!.id, id);
  for (const id of [0, 2, 6, 8, 10]) equal(tracker.get(id), null);
  equal(new Tracker(1, 1, limits).get(1), null);
});

test("apply keeps the progress of who stays, drops who goes, and greets who comes", () => {
  const tracker = trackerOf(three);
  const kept = tracker.get(9)!;
  kept.maybeUpdate(18);
  kept.lastAnswerTick = 117;
  tracker.apply(new ConfState([1, 6, 9], [], [], [], false), 25, 120);
  equal(tracker.get(9), kept);
  equal(kept.match, 18);
  equal(kept.lastAnswerTick, 117);
  equal(tracker.get(5), null);
  equal(tracker.get(7), null);
  const come = tracker.get(6)!;
  equal(come.next, 26);
  equal(come.match, 0);
  equal(come.lastAnswerTick, 120, "a new voter counts as having answered at that moment");
});

test("a promoted learner keeps its progress and the tick of its last answer, as does a demoted voter", () => {
  const tracker = trackerOf(three);
  tracker.get(7)!.lastAnswerTick = 90;
  tracker.get(7)!.maybeUpdate(20);
  tracker.get(5)!.lastAnswerTick = 91;
  const swapped = new ConfState([1, 7, 9], [], [5], [], false);
  tracker.apply(swapped, 25, 120);
  equal(tracker.get(7)!.lastAnswerTick, 90);
  equal(tracker.get(7)!.match, 20);
  equal(tracker.get(5)!.lastAnswerTick, 91);
  for (const progress of tracker.all) equal(progress.isLearner, !isVoter(swapped, progress.id));
});

test("a voter that is demoted in a joint phase still votes in it", () => {
  const tracker = trackerOf(three);
  tracker.apply(new ConfState([1, 9], [1, 5, 9], [7], [5], true), 25, 120);
  equal(tracker.get(5)!.isLearner, false);
  tracker.apply(new ConfState([1, 9], [], [5, 7], [], false), 26, 121);
  equal(tracker.get(5)!.isLearner, true);
});

test("who was removed and comes back starts anew", () => {
  const tracker = trackerOf(three);
  tracker.get(9)!.maybeUpdate(20);
  tracker.apply(new ConfState([1, 5], [], [], [], false), 25, 120);
  tracker.apply(three, 30, 130);
  equal(tracker.get(9)!.match, 0);
  ok(tracker.get(9)!.next === 31);
});
