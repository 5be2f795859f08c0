// The status of a cluster as a table of at most 80 columns (for names of up to ten characters), or
// as JSON.
import { table } from "@quorate/base";
import type { MemberState } from "./collect.ts";

const head = ["NAME", "ROLE", "TERM", "COMMIT", "APPLIED", "LAG", "LEADER", "DIGEST"];

export function statusTable(members: readonly MemberState[], problems: readonly string[]): string {
  const commit = highestCommit(members);
  const rows = members.map((member) => row(member, commit));
  return `${[table([head, ...rows]), ...problems.map((line) => `! ${line}`)].join("\n")}\n`;
}

function row({ name, isLearner, report }: MemberState, commit: number): string[] {
  if (report === null) {
    return [name, "?", "-", "-", "-", "-", "-", "-"];
  }
  const role = isLearner && report.role === "follower" ? "learner" : report.role;
  return [
    name,
    report.phase === "running" ? role : report.phase,
    String(report.term),
    String(report.committed),
    String(report.applied),
    String(commit - report.applied),
    report.leader === "" ? "-" : report.leader,
    report.phase === "running" ? report.liveDigest : "-",
  ];
}

export function statusJson(members: readonly MemberState[], problems: readonly string[]): string {
  const commit = highestCommit(members);
  const entries = members.map(({ name, memberId, address, isLearner, report, reason }) => ({
    name,
    memberId,
    address,
    isLearner,
    reachable: report !== null,
    ...(report === null ? { reason } : { ...report, lag: commit - report.applied }),
  }));
  return `${JSON.stringify({ members: entries, problems }, null, 2)}\n`;
}

/** Lag is counted from the highest commit that any member told. */
function highestCommit(members: readonly MemberState[]): number {
  return Math.max(0, ...members.map(({ report }) => report?.committed ?? 0));
}
