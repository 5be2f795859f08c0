// Rounds of a learner: caught up is who has done one within an election timeout, and it stays so only
// as long as the next ones are as short.
import { equal } from "node:assert/strict";
import { test } from "node:test";
import { ProgressKind } from "@quorate/raft";
import type { ProgressStatus } from "@quorate/raft";
import { CatchUp } from "./catch-up.ts";

const timeout = 10;

function at(match: number, kind: ProgressKind = ProgressKind.Replicate): ProgressStatus {
  return {
    id: 4,
    kind,
    match,
    next: match + 1,
    session: 1,
    silentTicks: 0,
    regressed: false,
    applied: 0,
    inflightMessages: 0,
    inflightBytes: 0,
    stall: null,
  };
}

test("a long round does not count, a short one behind it does", () => {
  const catchUp = new CatchUp(timeout);
  equal(catchUp.hasCaughtUp(at(0), 100, 1), false);
  equal(catchUp.hasCaughtUp(at(99), 120, 10), false);
  equal(catchUp.hasCaughtUp(at(100), 120, 12), false, "eleven ticks");
  equal(catchUp.hasCaughtUp(at(119), 125, 13), false);
  equal(catchUp.hasCaughtUp(at(120), 130, 20), true);
});

test("who falls behind again is not caught up any more; nor who is probed or sent a snapshot", () => {
  const catchUp = new CatchUp(timeout);
  equal(catchUp.hasCaughtUp(at(100, ProgressKind.Probe), 100, 1), false);
  equal(catchUp.hasCaughtUp(at(100, ProgressKind.Snapshot), 100, 2), false);
  equal(catchUp.hasCaughtUp(at(100), 100, 3), true);
  equal(catchUp.hasCaughtUp(at(100), 500, 4), true);
  equal(catchUp.hasCaughtUp(at(100), 500, 14), true);
  equal(catchUp.hasCaughtUp(at(100), 500, 15), false);
  catchUp.keep([]);
  equal(catchUp.hasCaughtUp(at(100), 500, 16), false, "anew");
});
