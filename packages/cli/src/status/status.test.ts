// The table and the problems of `quorate status`, from what members say; no network.
import { deepEqual, equal } from "node:assert/strict";
import { test } from "node:test";
import type { MemberState } from "./collect.ts";
import type { MemberReport } from "./member-report.ts";
import { statusJson, statusTable } from "./print-status.ts";
import { problemsOf } from "./problems.ts";

function report(name: string, fields: Partial<MemberReport> = {}): MemberReport {
  return {
    name,
    memberId: "000000000000000a",
    clusterId: "000000000000000c",
    phase: "running",
    reason: "",
    role: "follower",
    quiet: false,
    term: 3,
    leader: "m1",
    committed: 1_234_567_890,
    applied: 1_234_567_890,
    revision: 5,
    keys: 4,
    liveDigest: "0123456789abcdef",
    missing: [],
    version: "0.1.0",
    alarms: [],
    ...fields,
  };
}

function state(name: string, fields: Partial<MemberReport> = {}): MemberState {
  return {
    name,
    memberId: "000000000000000a",
    isLearner: false,
    address: "127.0.0.1:1",
    report: report(name, fields),
    reason: "",
  };
}

function silent(name: string, reason: string): MemberState {
  return { ...state(name), report: null, reason };
}

const healthy = [state("m1", { role: "leader" }), state("m2"), state("m3")];

test("a healthy cluster: no problem, a table within 80 columns", () => {
  deepEqual(problemsOf(healthy), []);
  const text = statusTable(healthy, []);
  equal(
    text,
    [
      "NAME  ROLE      TERM  COMMIT      APPLIED     LAG  LEADER  DIGEST",
      "m1    leader    3     1234567890  1234567890  0    m1      0123456789abcdef",
      "m2    follower  3     1234567890  1234567890  0    m1      0123456789abcdef",
      "m3    follower  3     1234567890  1234567890  0    m1      0123456789abcdef",
      "",
    ].join("\n"),
  );
});

test("lag counts from the highest commit of all", () => {
  const members = [
    state("m1", { committed: 20, applied: 18 }),
    state("m2", { committed: 9, applied: 5 }),
  ];
  const lags = JSON.parse(statusJson(members, []));
  deepEqual(
    lags.members.map((m: { lag: number }) => m.lag),
    [2, 15],
  );
});

test("each thing that is wrong has its line", () => {
  const rows: [MemberState, string][] = [
    [silent("m2", "connection refused"), "m2 does not answer at 127.0.0.1:1: connection refused"],
    [
      { ...silent("m2", "it has told no client URL yet"), address: "" },
      "m2 does not answer: it has told no client URL yet",
    ],
    [
      state("m2", { phase: "genesis", reason: "waiting for m3" }),
      "m2 is not serving, it is in phase genesis: waiting for m3",
    ],
    [
      state("m2", { reason: "a hole in the log is being filled: 1 of 3" }),
      "m2: a hole in the log is being filled: 1 of 3",
    ],
    [state("m2", { quiet: true }), "m2 is quiet: after its restart no leader has accepted it yet"],
    [state("m2", { leader: "" }), "m2 knows no leader"],
    [state("m2", { missing: ["m1", "m3"] }), "m2 does not hear m1, m3"],
  ];
  for (const [member, line] of rows) {
    deepEqual(problemsOf([healthy[0]!, member]), [line]);
  }
});

test("an alarm is told once, as the newest member has it, with what to do", () => {
  const alarm = {
    memberId: "000000000000000b",
    type: "NOSPACE",
    text: "12 MiB are free at /data",
    advice: "make room",
    sinceMs: 1,
    endsByItself: true,
  };
  const named = { ...state("m2", { alarms: [alarm] }), memberId: alarm.memberId };
  deepEqual(problemsOf([state("m1", { applied: 3 }), named]), [
    "alarm NOSPACE of m2: 12 MiB are free at /data; make room",
  ]);
  const gone = { ...alarm, memberId: "000000000000000c", text: "" };
  deepEqual(
    problemsOf([state("m1", { applied: 3, alarms: [alarm] }), state("m2", { alarms: [gone] })]),
    ["alarm NOSPACE of 000000000000000c; make room"],
  );
});

test("digests are compared at equal applied index only", () => {
  const other = { liveDigest: "ffffffffffffffff" };
  deepEqual(problemsOf([state("m1"), state("m2", { ...other, applied: 7 })]), []);
  deepEqual(problemsOf([state("m1"), state("m2", other)]), [
    "m2 and m1 differ: other digests at applied index 1234567890",
  ]);
});

test("who does not answer has a line of its own in the table, and its reason in the JSON", () => {
  const members = [state("m1"), silent("m2", "connection refused")];
  const problems = problemsOf(members);
  const lines = statusTable(members, problems).split("\n");
  equal(lines[2]!.startsWith("m2    ?"), true);
  equal(lines[3], "! m2 does not answer at 127.0.0.1:1: connection refused");
  const json = JSON.parse(statusJson(members, problems));
  deepEqual(json.problems, problems);
  equal(json.members[1].reachable, false);
  equal(json.members[1].reason, "connection refused");
});
