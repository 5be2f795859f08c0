// The members of a simulated cluster as text, a line each: for the report of a run that failed.
import { Role } from "@quorate/raft";
import type { SimCluster } from "./cluster.ts";
import type { SimMember } from "./sim-member.ts";

export function describeCluster(cluster: SimCluster): string {
  return cluster.members.map(describeMember).join("\n");
}

function describeMember({ incarnation, host, name }: SimMember): string {
  if (incarnation === null) return `${name}: never started`;
  if (!incarnation.alive || host === null) {
    return `${incarnation.name}: ended ${incarnation.end} ${incarnation.reason}`;
  }
  const s = host.status();
  const role = Object.keys(Role)[s.role - 1];
  return (
    `${incarnation.name}: phase ${s.phase} ${role} term ${s.term} leader ${s.leaderMemberId} ` +
    `committed ${s.committed} applied ${s.applied} last ${s.lastIndex} durable ` +
    `${s.durableIndex} quiet ${s.quiet} missing [${s.missing.join(",")}] ${s.reason}`
  );
}
