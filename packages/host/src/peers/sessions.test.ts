// The session rule of P4 by rows: a higher boot count, or the same one with the same session.
import assert from "node:assert/strict";
import { test } from "node:test";
import { PeerRecord } from "@quorate/storage";
import { raftIdsMax, Sessions, SessionVerdict } from "./sessions.ts";

const { Accepted, New, Pending, Regressed } = SessionVerdict;

test("against a durable record of boot 5, session 50", () => {
  const rows: [number, number, SessionVerdict, string][] = [
    [5, 50, Accepted, "the same process"],
    [6, 60, New, "its next boot"],
    [9, 90, New, "a later boot"],
    [6, 50, New, "a later boot that drew the same number"],
    [5, 51, Regressed, "two processes of one boot"],
    [4, 40, Regressed, "an earlier boot"],
    [4, 50, Regressed, "an earlier boot that says the present session"],
  ];
  for (const [bootCount, session, verdict, why] of rows) {
    const sessions = new Sessions();
    sessions.setRecords([new PeerRecord(1, 5, 50)]);
    assert.equal(sessions.judge(1, bootCount, session), verdict, why);
  }
});

test("a raft id never heard of is new, whatever its boot count", () => {
  const sessions = new Sessions();
  sessions.setRecords([new PeerRecord(1, 5, 50)]);
  assert.equal(sessions.judge(2, 1, 50), New);
});

test("a new session is pending until its record is durable, then accepted", () => {
  const sessions = new Sessions();
  assert.equal(sessions.judge(1, 3, 30), New);
  assert.equal(sessions.judge(1, 3, 30), Pending);
  assert.equal(sessions.judge(1, 3, 31), Regressed);
  assert.equal(sessions.judge(1, 2, 20), Regressed);
  assert.equal(sessions.persisted(sessions.newest(1)!), true);
  assert.equal(sessions.judge(1, 3, 30), Accepted);
});

test("a newer boot while an older record is on its way: only the newer is ever accepted", () => {
  const sessions = new Sessions();
  assert.equal(sessions.judge(1, 3, 30), New);
  const older = sessions.newest(1)!;
  assert.equal(sessions.judge(1, 4, 40), New);
  const newer = sessions.newest(1)!;
  assert.equal(sessions.persisted(older), false);
  assert.equal(sessions.judge(1, 3, 30), Regressed);
  assert.equal(sessions.judge(1, 4, 40), Pending);
  assert.equal(sessions.persisted(newer), true);
  assert.equal(sessions.judge(1, 4, 40), Accepted);
});

test("the highest of several records counts, and is told to others", () => {
  const sessions = new Sessions();
  sessions.setRecords([
    new PeerRecord(1, 5, 50),
    new PeerRecord(1, 7, 70),
    new PeerRecord(1, 6, 60),
  ]);
  assert.equal(sessions.bootCountOf(1), 7);
  assert.equal(sessions.sessionOf(1), 70);
  assert.equal(sessions.judge(1, 6, 60), Regressed);
  assert.equal(sessions.bootCountOf(2), 0);
});

test("raft ids are bounded: new ones are not judged, known ones go on", () => {
  const sessions = new Sessions();
  for (let id = 1; id <= raftIdsMax; id++) assert.equal(sessions.judge(id, 1, 9), New);
  assert.equal(sessions.judge(raftIdsMax + 1, 1, 9), SessionVerdict.TooMany);
  assert.equal(sessions.newest(raftIdsMax + 1), null);
  assert.equal(sessions.judge(7, 2, 10), New);
});
