// What is not as it should be in a cluster, one line for each: pure, from what the members said.
import type { MemberReport } from "./member-report.ts";
import type { MemberState } from "./collect.ts";

export function problemsOf(members: readonly MemberState[]): string[] {
  return [...members.flatMap(problemsOfOne), ...digestProblems(members), ...alarmProblems(members)];
}

/** Of the member that has applied most: the table is the same on all. */
function alarmProblems(members: readonly MemberState[]): string[] {
  let newest: MemberReport | null = null;
  for (const { report } of members) {
    if (report !== null && report.applied >= (newest?.applied ?? 0)) newest = report;
  }
  return (newest?.alarms ?? []).map(({ memberId, type, text, advice }) => {
    const name = members.find((member) => member.memberId === memberId)?.name;
    const what = text === "" ? "" : `: ${text}`;
    return `alarm ${type} of ${name ?? memberId}${what}; ${advice}`;
  });
}

function problemsOfOne(member: MemberState): string[] {
  const { name, report } = member;
  if (report === null) {
    const where = member.address === "" ? "" : ` at ${member.address}`;
    return [`${name} does not answer${where}: ${member.reason}`];
  }
  const problems: string[] = [];
  if (report.phase !== "running") {
    const reason = report.reason === "" ? "" : `: ${report.reason}`;
    problems.push(`${name} is not serving, it is in phase ${report.phase}${reason}`);
  }
  if (report.phase === "running" && report.reason !== "") {
    problems.push(`${name}: ${report.reason}`);
  }
  if (report.quiet) {
    problems.push(`${name} is quiet: after its restart no leader has accepted it yet`);
  }
  if (report.phase === "running" && report.leader === "") {
    problems.push(`${name} knows no leader`);
  }
  if (report.missing.length > 0) {
    problems.push(`${name} does not hear ${report.missing.join(", ")}`);
  }
  return problems;
}

/** Members that applied the same entries must hold the same rows. */
function digestProblems(members: readonly MemberState[]): string[] {
  const first = new Map<number, MemberReport>();
  const problems: string[] = [];
  for (const { report } of members) {
    if (report === null || report.phase !== "running") continue;
    const other = first.get(report.applied);
    if (other === undefined) {
      first.set(report.applied, report);
    } else if (other.liveDigest !== report.liveDigest) {
      problems.push(
        `${report.name} and ${other.name} differ: other digests at applied index ${report.applied}`,
      );
    }
  }
  return problems;
}
