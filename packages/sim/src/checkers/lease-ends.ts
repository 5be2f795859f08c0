// T2: a lease that nobody renews is gone at most its time to live, one election and a second after it was
// renewed last (etcd #9935, #10686: never). Asked when the faults are over and a leader is in office: by
// then every lease has begun its last time at the latest.
import type { SimCluster } from "../cluster.ts";
import { demand } from "./violation.ts";

const property = "T2 every lease ends";

/** Healthy clocks. */
const driftMost = 1.001;
const lateMs = 1_000;

/** False: not all of those who were to serve do so any more. */
export function demandGone(cluster: SimCluster, isServed: () => boolean): boolean {
  const { world } = cluster;
  const left = (): number => cluster.leader()?.host?.inside()?.kv.leases.size ?? 1;
  const { electionTimeoutMs } = cluster.members[0]!.config;
  const withinMs = longestMs(cluster) * driftMost + 4 * electionTimeoutMs + lateMs;
  const gone = world.runUntil(() => left() === 0 || !isServed(), withinMs);
  if (!isServed()) return false;
  demand(gone, property, () => `after ${withinMs} ms ${left()} are left: ${describe(cluster)}`);
  return true;
}

/** Of those that are there. */
function longestMs(cluster: SimCluster): number {
  const leases = cluster.leader()?.host?.inside()?.kv.leases;
  const times = [...(leases?.all() ?? [])].map(({ grantedTtlSeconds }) => grantedTtlSeconds);
  return Math.max(0, ...times) * 1000;
}

function describe(cluster: SimCluster): string {
  const leader = cluster.leader();
  const inside = leader?.host?.inside() ?? null;
  if (leader === null || inside === null) return "nobody leads";
  const nowMs = leader.clock.monotonicMs();
  const texts = [...inside.kv.leases.all()].map(({ id, grantIndex, owedTtlSeconds }) => {
    const endsMs = inside.leases.lessor.expiryMs(id);
    const ends = endsMs === null ? "nobody knows when" : `in ${Math.round(endsMs - nowMs)} ms`;
    return `granted at ${grantIndex}, owed ${owedTtlSeconds} s, ends ${ends}`;
  });
  return `${leader.name} leads; ${texts.join("; ")}`;
}
