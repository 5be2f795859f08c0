// kill -9 under load. Method: writers with unique values note what was acknowledged; afterwards every
// acknowledged value is read from each member and all digests are equal. Times are told, not asserted.
import { equal } from "node:assert/strict";
import { test } from "node:test";
import { withCluster } from "./cluster.ts";
import type { TestCluster } from "./cluster.ts";
import { eventually } from "./eventually.ts";
import { getAll } from "./kv-calls.ts";
import { Writers } from "./writers.ts";

const writerCount = 16;

/** Every acknowledged value is read from each member, and their digests are equal. */
async function checkAll(cluster: TestCluster, writers: Writers, prefix: string): Promise<void> {
  await cluster.ready();
  for (const member of cluster.members) {
    const found = await eventually(`a linearizable read from ${member.name}`, async () => {
      const all = await getAll(member.client, prefix);
      return typeof all === "string" ? null : all;
    });
    equal(writers.difference(found), null, `what ${member.name} holds`);
  }
  await cluster.equalDigests();
}

/** Waits until this many more puts have been acknowledged. */
async function moreAcknowledged(writers: Writers, count: number, byMembers?: string[]) {
  const from = writers.acknowledgedAt.length;
  await eventually(`${count} more acknowledged puts`, () => {
    const since = writers.acknowledgedAt.slice(from);
    return since.filter(({ member }) => byMembers?.includes(member) ?? true).length >= count;
  });
}

test("kill -9 of the leader: nothing acknowledged is lost, the others write on, it rejoins", async (t) => {
  await withCluster({}, async (cluster) => {
    const leader = await cluster.leader();
    const others = cluster.members.filter((m) => m !== leader).map((m) => m.name);
    const writers = new Writers(cluster.members, writerCount, "k/");
    const startedMs = performance.now();
    await moreAcknowledged(writers, 2000);
    const killedMs = performance.now();
    const before = writers.acknowledgedAt.length;
    await leader.kill();
    await moreAcknowledged(writers, 500, others);
    const gapMs = writers.longestGapMs(killedMs, performance.now(), others);
    leader.start();
    await cluster.ready();
    await moreAcknowledged(writers, 500);
    await writers.stop();
    await checkAll(cluster, writers, "k/");
    const rate = (before / (killedMs - startedMs)) * 1000;
    t.diagnostic(`${rate.toFixed(0)} acknowledged puts/s before the kill`);
    t.diagnostic(`clients of the other two wrote again after ${gapMs.toFixed(0)} ms`);
    t.diagnostic(`failures told to writers: ${JSON.stringify([...writers.failures])}`);
  });
});

test("ten kills of the leader in a row: the same", async (t) => {
  await withCluster({}, async (cluster) => {
    const writers = new Writers(cluster.members, writerCount, "k/");
    const gaps: number[] = [];
    for (let kill = 0; kill < 10; kill += 1) {
      const leader = await cluster.ready();
      await moreAcknowledged(writers, 100);
      const others = cluster.members.filter((m) => m !== leader).map((m) => m.name);
      const killedMs = performance.now();
      await leader.kill();
      await moreAcknowledged(writers, 100, others);
      gaps.push(writers.longestGapMs(killedMs, performance.now(), others));
      leader.start();
    }
    await cluster.ready();
    await writers.stop();
    await checkAll(cluster, writers, "k/");
    t.diagnostic(`${writers.acknowledged.size} acknowledged values, all there`);
    t.diagnostic(`write gaps in ms: ${gaps.map((gap) => gap.toFixed(0)).join(" ")}`);
  });
});

test("kill -9 of all three under load, then a start: every acknowledged write is there", async (t) => {
  await withCluster({}, async (cluster) => {
    const writers = new Writers(cluster.members, writerCount, "k/");
    await moreAcknowledged(writers, 1000);
    await Promise.all(cluster.members.map((member) => member.kill()));
    const startedMs = performance.now();
    cluster.start();
    await cluster.ready();
    t.diagnostic(`ready again after ${(performance.now() - startedMs).toFixed(0)} ms`);
    await moreAcknowledged(writers, 100);
    await writers.stop();
    await checkAll(cluster, writers, "k/");
    t.diagnostic(`${writers.acknowledged.size} acknowledged values, all there`);
  });
});
