// What a snapshot that is on its way keeps of the log, and for how long.
import { equal } from "node:assert/strict";
import { test } from "node:test";
import { ProgressKind, Role } from "@quorate/raft";
import type { ProgressStatus, RaftStatus } from "@quorate/raft";
import { LogHolds } from "./log-holds.ts";

function follower(id: number, kind: ProgressKind, match: number, silentTicks = 0): ProgressStatus {
  return { id, kind, match, silentTicks } as ProgressStatus;
}

function leading(...progress: ProgressStatus[]): RaftStatus {
  return { role: Role.Leader, progress } as unknown as RaftStatus;
}

const { Snapshot, Probe, Replicate } = ProgressKind;

test("log behind a snapshot stays until the follower has come into the catch-up tail", () => {
  const holds = new LogHolds(100);
  equal(holds.keepFrom(90, leading(follower(2, Snapshot, 0))), 90);
  holds.hold(2, 50);
  equal(holds.keepFrom(90, leading(follower(2, Snapshot, 0))), 50);
  equal(holds.keepFrom(190, leading(follower(2, Probe, 0))), 50);
  equal(holds.keepFrom(190, leading(follower(2, Replicate, 120))), 120);
  equal(holds.keepFrom(200, leading(follower(2, Replicate, 200))), 200);
  equal(holds.keepFrom(300, leading(follower(2, Replicate, 250))), 300, "it is over");
});

test("the follower that is furthest behind counts, and a later snapshot takes the place", () => {
  const holds = new LogHolds(100);
  holds.hold(2, 50);
  holds.hold(3, 70);
  const both = [follower(2, Snapshot, 0), follower(3, Snapshot, 0)];
  equal(holds.keepFrom(90, leading(...both)), 50);
  holds.hold(2, 80);
  equal(holds.keepFrom(90, leading(...both)), 70);
});

test("a silent or removed follower, and the end of leadership, hold nothing", () => {
  const silent = new LogHolds(100);
  silent.hold(2, 50);
  equal(silent.keepFrom(90, leading(follower(2, Snapshot, 0, 101))), 90);
  equal(silent.keepFrom(90, leading(follower(2, Snapshot, 0))), 90);
  const removed = new LogHolds(100);
  removed.hold(2, 50);
  equal(removed.keepFrom(90, leading()), 90);
  const deposed = new LogHolds(100);
  deposed.hold(2, 50);
  equal(deposed.keepFrom(90, { role: Role.Follower, progress: [] } as unknown as RaftStatus), 90);
  equal(deposed.keepFrom(90, leading(follower(2, Snapshot, 0))), 90);
});
