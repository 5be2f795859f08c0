// A hundred thousand leases, kept alive by a hundred streams, at three members. Method: all are granted;
// a minute of calm; then a thousand are left alone, and the leader is killed. Goal: none ends before the
// time its client was last told, all that are left alone end, all others stay. Printed, not judged: what
// keep-alives take and cost, and how late leases end (the simulator judges that, in its own time).
import { equal, ok } from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { GrpcCode } from "@quorate/grpc";
import { H2Client } from "@quorate/grpc/internal";
import { decodeLeasesResponse, encodeLeaseGrantRequest, leaseIdOf } from "@quorate/kv";
import type { LeaseId } from "@quorate/kv";
import { TestCluster } from "../processes/cluster.ts";
import { KeptLeases } from "./kept-leases.ts";
import type { KeptLease } from "./kept-leases.ts";
import { percentile } from "./watchers.ts";

const leasesCount = 100_000;
const aloneCount = 1000;
const streams = 100;
const ttlSeconds = 90;
const everyMs = 30_000;
const calmMs = 60_000;
const grantsInFlight = 200;
const listTimeoutMs = 30_000;
const lookMs = 250;
/** Linux counts a process's time in these. */
const clockTickMs = 10;

async function grantAll(address: string, kept: KeptLeases): Promise<void> {
  const client = await H2Client.connect(address);
  const grant = (n: number): Promise<void> =>
    new Promise((resolve, reject) => {
      const id = leaseIdOf(1, n);
      const sentMs = performance.now();
      const request = encodeLeaseGrantRequest({ id, ttlSeconds });
      client.call("/etcdserverpb.Lease/LeaseGrant", request, (isOk) => {
        if (!isOk) return reject(new Error(`grant ${n} failed`));
        kept.add(id, sentMs);
        resolve();
      });
    });
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < leasesCount) await grant(next++);
  };
  await Promise.all(Array.from({ length: grantsInFlight }, worker));
  client.close();
}

/** Null: nobody answered. */
async function list(cluster: TestCluster): Promise<Set<LeaseId> | null> {
  const [member] = cluster.running;
  const path = "/etcdserverpb.Lease/LeaseLeases";
  const { code, message } = await member!.client.call(path, new Uint8Array(0), listTimeoutMs);
  return code === GrpcCode.Ok ? new Set(decodeLeasesResponse(message!)) : null;
}

/** What the members' processes have spent of their processors so far. */
function spentMs(cluster: TestCluster): number[] {
  return cluster.members.map(({ pid }) => {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return (Number(fields[11]) + Number(fields[12])) * clockTickMs;
  });
}

async function calm(t: TestContext, cluster: TestCluster, kept: KeptLeases): Promise<void> {
  const before = spentMs(cluster);
  kept.delaysMs = [];
  await sleep(calmMs);
  const { delaysMs } = kept;
  const at = (share: number): string => percentile(delaysMs, share).toFixed(1);
  const shares = spentMs(cluster).map((ms, m) => (((ms - before[m]!) / calmMs) * 100).toFixed(0));
  t.diagnostic(
    `${((delaysMs.length / calmMs) * 1000).toFixed(0)} keep-alives/s: p50 ${at(0.5)} ms, ` +
      `p99 ${at(0.99)} ms, worst ${at(1)} ms; the members take ${shares.join(", ")} % of a processor`,
  );
}

/** Until all that are left alone have ended; how late each did, in ms. */
async function watchEnds(
  cluster: TestCluster,
  kept: KeptLeases,
  alone: Set<KeptLease>,
): Promise<number[]> {
  const late: number[] = [];
  while (alone.size > 0) {
    await sleep(lookMs);
    const found = await list(cluster);
    if (found === null) continue;
    const nowMs = performance.now();
    for (const lease of kept.leases.values()) {
      if (found.has(lease.id)) continue;
      ok(!lease.kept, "a lease that was kept alive has ended");
      ok(nowMs >= lease.promisedUntilMs, "a lease has ended early");
      if (alone.delete(lease)) late.push(nowMs - lease.promisedUntilMs);
    }
  }
  return late;
}

test("a hundred thousand leases live as long as they are kept alive, whoever is killed", async (t) => {
  const cluster = await TestCluster.make();
  try {
    cluster.start();
    await cluster.ready();
    const kept = new KeptLeases(cluster, streams, ttlSeconds, everyMs);
    const startedMs = performance.now();
    await grantAll(cluster.members[0]!.address, kept);
    t.diagnostic(`granted in ${((performance.now() - startedMs) / 1000).toFixed(0)} s`);
    equal((await list(cluster))?.size, leasesCount);
    await calm(t, cluster, kept);
    const alone = new Set([...kept.leases.values()].slice(0, aloneCount));
    for (const lease of alone) lease.kept = false;
    const leader = await cluster.leader();
    await leader.kill();
    const late = await watchEnds(cluster, kept, alone);
    const at = (share: number): string => (percentile(late, share) / 1000).toFixed(1);
    t.diagnostic(
      `after kill -9 of the leader: ended p50 ${at(0.5)} s, at most ${at(1)} s after what was ` +
        `promised; ${kept.restarts} times a stream began anew`,
    );
    equal((await list(cluster))?.size, leasesCount - aloneCount);
    equal(kept.lost.length, 0);
    kept.close();
  } finally {
    await cluster.close();
  }
});
