// Same flags, no operator, no supervisor: a member whose directory was put back to an old copy, and one
// that has lost both copies of its manifest, set their files aside and vote again under another raft id
// (P3, ADR 12). Method: the process that finds it out begins anew in its own place, so the process id
// stays; all keys are there afterwards, digests are equal, and its vote counts.
import { deepEqual, equal, notEqual, ok } from "node:assert/strict";
import { cpSync, readdirSync, renameSync, rmSync, truncateSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { GrpcCode } from "@quorate/grpc";
import { withCluster } from "./cluster.ts";
import type { TestCluster } from "./cluster.ts";
import { eventually } from "./eventually.ts";
import { getAll, put } from "./kv-calls.ts";
import type { TestMember } from "./member.ts";

async function putAll(member: TestMember, prefix: string, count: number): Promise<void> {
  for (let at = 0; at < count; at += 1) {
    equal((await put(member.client, `k/${prefix}/${at}`, prefix)).code, GrpcCode.Ok);
  }
}

async function raftIdOf(member: TestMember): Promise<bigint> {
  const status = await eventually("a status", () => member.status());
  return status.raftId;
}

/** Under another raft id than `lost`, by the leader's own list. */
async function votesAgain(cluster: TestCluster, member: TestMember, lost: bigint): Promise<void> {
  await eventually("it follows under another raft id", async () => {
    const all = await Promise.all(cluster.members.map((each) => each.status()));
    const own = all.find((status) => status?.name === member.name);
    const led = all.find((status) => status?.role === "leader");
    const named = led?.peers.find((peer) => peer.name === member.name)?.raftId;
    return named !== undefined && named === own?.raftId && named !== lost ? true : null;
  });
  await cluster.ready();
  // It counts: without another one, a quorum stands.
  const leader = await cluster.leader();
  const other = cluster.members.find((each) => each !== leader && each !== member)!;
  await other.kill();
  await eventually("two of three acknowledge", async () => {
    const { code } = await put(member.client, "k/two-of-three", "after", 3000);
    return code === GrpcCode.Ok ? true : null;
  });
  other.start();
  await cluster.ready();
  await cluster.equalDigests();
}

function quarantines(member: TestMember): string[] {
  return readdirSync(member.directory).filter((name) => name.startsWith("quarantine-"));
}

test("a directory that was put back to an old copy: it comes back by itself, with every key", async () => {
  await withCluster({}, async (cluster) => {
    const leader = await cluster.leader();
    const rolled = cluster.members.find((member) => member !== leader)!;
    const lost = await raftIdOf(rolled);
    await putAll(leader, "before", 20);
    await rolled.kill();
    const copy = `${rolled.directory}-copy`;
    cpSync(rolled.directory, copy, { recursive: true });
    for (let starts = 0; starts < 2; starts += 1) {
      rolled.start();
      await cluster.ready();
      await putAll(await cluster.leader(), `after/${starts}`, 20);
      await rolled.kill();
    }
    rmSync(rolled.directory, { recursive: true });
    renameSync(copy, rolled.directory);

    rolled.start();
    const { pid } = rolled;
    await votesAgain(cluster, rolled, lost);
    equal(rolled.pid, pid, "no supervisor saw an end");
    ok(rolled.logged(/beginning anew: .* is REGRESSED/), "it says why");
    equal(quarantines(rolled).length, 1);
    const kept = readdirSync(join(rolled.directory, quarantines(rolled)[0]!));
    ok(kept.includes("IDENTITY-1") && kept.includes("MANIFEST-2"), kept.join(" "));
    notEqual(await raftIdOf(rolled), lost);
    const [own, leaders] = await Promise.all(
      [rolled, await cluster.leader()].map((member) =>
        eventually("a read", async () => {
          const all = await getAll(member.client, "k/");
          return typeof all === "string" ? null : all;
        }),
      ),
    );
    equal(own!.get("k/before/19"), "before");
    equal(own!.get("k/after/1/19"), "after/1");
    deepEqual(own, leaders);
  });
});

test("both copies of the manifest are lost: it comes back by itself; again within minutes: 72", async () => {
  await withCluster({}, async (cluster) => {
    const leader = await cluster.leader();
    const damaged = cluster.members.find((member) => member !== leader)!;
    const lost = await raftIdOf(damaged);
    await putAll(leader, "before", 20);
    const cutManifests = async (): Promise<void> => {
      await damaged.kill();
      for (const copy of [1, 2]) truncateSync(join(damaged.directory, `MANIFEST-${copy}`), 10);
      damaged.start();
    };
    await cutManifests();
    await votesAgain(cluster, damaged, lost);

    await cutManifests();
    const { code } = await damaged.ended();
    equal(code, 72);
    ok(damaged.logged(/not set aside again, because .* within 10 minutes/));
    equal(quarantines(damaged).length, 1);
    for (const name of quarantines(damaged)) {
      rmSync(join(damaged.directory, name), { recursive: true });
    }
    damaged.start();
    await votesAgain(cluster, damaged, lost);
  });
});
