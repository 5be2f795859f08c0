// Members come and go under load while somebody is killed with -9 at a random moment of it: the leader,
// the newcomer, an old member, in turn. Each change ends as it was asked for, and nothing acknowledged
// is lost. Method: over etcd's Cluster service; the moment is drawn anew each time.
import { equal } from "node:assert/strict";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { randomInt } from "node:crypto";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { GrpcCode } from "@quorate/grpc";
import { etcd } from "@quorate/proto";
import { withCluster } from "../processes/cluster.ts";
import type { TestCluster } from "../processes/cluster.ts";
import { eventually } from "../processes/eventually.ts";
import { getAll } from "../processes/kv-calls.ts";
import { TestMember } from "../processes/member.ts";
import { freePorts } from "../processes/ports.ts";
import { Writers } from "../processes/writers.ts";

const rounds = 9;
const momentMsMax = 1500;
const callTimeoutMs = 10_000;
const victims = ["leader", "newcomer", "old"] as const;

/** By whoever answers, until the members are as wanted: a killed member's answer never comes. */
async function insist(
  cluster: TestCluster,
  method: "MemberAdd" | "MemberRemove",
  request: Uint8Array,
  holds: (members: readonly etcd.Member[]) => boolean,
): Promise<readonly etcd.Member[]> {
  return eventually(method, async () => {
    for (const member of cluster.running) {
      const members = await list(member);
      if (members !== null && holds(members)) return members;
      await member.client.call(`/etcdserverpb.Cluster/${method}`, request, callTimeoutMs);
    }
    return null;
  });
}

async function list(member: TestMember): Promise<readonly etcd.Member[] | null> {
  const request = create(etcd.MemberListRequestSchema, { linearizable: true });
  const bytes = toBinary(etcd.MemberListRequestSchema, request);
  const path = "/etcdserverpb.Cluster/MemberList";
  const result = await member.client.call(path, bytes, callTimeoutMs);
  if (result.code !== GrpcCode.Ok || result.message === null) return null;
  return fromBinary(etcd.MemberListResponseSchema, result.message).members;
}

async function newcomer(cluster: TestCluster, round: number): Promise<TestMember> {
  const port = await freePorts(1);
  const name = `n${round}`;
  const peerUrl = `http://127.0.0.1:${port + 1}`;
  const directory = join(cluster.folder, name);
  const others = cluster.members.map((m) => `${m.name}=http://127.0.0.1:${m.peerPort}`);
  return new TestMember({ name, clientPort: port, peerPort: port + 1, directory }, [
    `--name=${name}`,
    `--data-dir=${directory}`,
    `--listen-client-urls=http://127.0.0.1:${port}`,
    `--advertise-client-urls=http://127.0.0.1:${port}`,
    `--listen-peer-urls=${peerUrl}`,
    `--initial-advertise-peer-urls=${peerUrl}`,
    `--initial-cluster=${[...others, `${name}=${peerUrl}`].join(",")}`,
    "--initial-cluster-state=existing",
    "--log-format=json",
  ]);
}

async function oneRound(cluster: TestCluster, round: number): Promise<string> {
  const fresh = await newcomer(cluster, round);
  const peerURLs = [`http://127.0.0.1:${fresh.peerPort}`];
  const isFresh = (m: etcd.Member): boolean => m.peerURLs[0] === peerURLs[0];
  try {
    const add = create(etcd.MemberAddRequestSchema, { peerURLs });
    const bytes = toBinary(etcd.MemberAddRequestSchema, add);
    await insist(cluster, "MemberAdd", bytes, (members) => members.some(isFresh));
    fresh.start();
    const which = victims[round % victims.length]!;
    const leader = await cluster.leader();
    const old = cluster.members.find((member) => member !== leader)!;
    const victim = which === "leader" ? leader : which === "old" ? old : fresh;
    const momentMs = randomInt(momentMsMax);
    await sleep(momentMs);
    await victim.kill();
    victim.start();
    const voter = (m: etcd.Member): boolean => isFresh(m) && m.name === fresh.name && !m.isLearner;
    const members = await eventually(`round ${round}: the newcomer votes`, async () => {
      const found = await list(fresh);
      return found !== null && found.some(voter) ? found : null;
    });
    const { ID } = members.find(isFresh)!;
    const remove = create(etcd.MemberRemoveRequestSchema, { ID });
    const removal = toBinary(etcd.MemberRemoveRequestSchema, remove);
    await insist(cluster, "MemberRemove", removal, (left) => !left.some((m) => m.ID === ID));
    equal((await fresh.ended()).code, 73, fresh.log.at(-1));
    return `${which} killed after ${momentMs} ms`;
  } finally {
    await fresh.kill();
    fresh.client.close();
    rmSync(fresh.directory, { recursive: true, force: true });
  }
}

test("members come and go while somebody is killed: nothing acknowledged is lost", async (t) => {
  await withCluster({}, async (cluster) => {
    const writers = new Writers(cluster.members, 4, "k/");
    for (let round = 0; round < rounds; round += 1) {
      t.diagnostic(`round ${round}: ${await oneRound(cluster, round)}`);
    }
    await cluster.ready();
    await writers.stop();
    const found = await eventually("a read of everything", async () => {
      const all = await getAll(cluster.members[0]!.client, "k/");
      return typeof all === "string" ? null : all;
    });
    equal(writers.difference(found), null);
    t.diagnostic(`${writers.acknowledged.size} acknowledged puts`);
    await cluster.equalDigests();
  });
});
