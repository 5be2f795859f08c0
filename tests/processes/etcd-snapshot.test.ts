// The way back to etcd: Debian's etcdctl saves, checks and restores a snapshot of Quorate, and a real etcd
// starts from it with every key, revision and hash. Method: both sides are asked the same questions after
// it; the rows are of every kind: overwritten, deleted, of one transaction, binary, empty and large.
import { deepEqual, equal, match, notEqual } from "node:assert/strict";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import {
  DeleteRangeRequest,
  encodeDeleteRangeRequest,
  encodePutRequest,
  encodeTxnRequest,
  PutRequest,
  TxnRequest,
} from "@quorate/kv";
import { GrpcCode } from "@quorate/grpc";
import type { GrpcClient } from "@quorate/grpc";
import { withCluster } from "./cluster.ts";
import { etcdMissing } from "./etcd-cluster.ts";
import { eventually } from "./eventually.ts";
import { compact, put } from "./kv-calls.ts";
import { etcdctl, etcdHash, mustEtcdctl, RestoredEtcd, snapshotStatus } from "./restored-etcd.ts";
import type { SnapshotStatus } from "./restored-etcd.ts";
import { Writers } from "./writers.ts";

const missing = etcdMissing();
if (missing !== null) process.stderr.write(`\nSKIPPED tests of snapshots for etcd: ${missing}\n\n`);
const skip = missing ?? false;

test("etcd restored from a snapshot has every key, revision and hash", { skip }, async () => {
  await withCluster({}, async (cluster) => {
    const folder = mkdtempSync(join(tmpdir(), "quorate-snapshot-"));
    try {
      await cluster.leader();
      const [member] = cluster.members;
      const compacted = await everyKind(member!.client, cluster.members[1]!.client);
      // One of them has its index from the disk, not from apply.
      await member!.kill();
      member!.start();
      await cluster.ready();
      await cluster.equalDigests();
      const saved: SnapshotStatus[] = [];
      for (const [at, { address }] of cluster.members.entries()) {
        const to = join(folder, `snapshot-${at}.db`);
        match(await mustEtcdctl(address, ["snapshot", "save", to]), /^Snapshot saved at /);
        saved.push(await snapshotStatus(to));
      }
      const path = join(folder, "snapshot-0.db");
      const [status, ...others] = saved;
      for (const other of others) deepEqual(other, status, "every member gives the same");
      equal(status!.revision, (await etcdHash(member!.address)).revision);
      equal(status!.totalSize + 32, statSync(path).size);
      const restored = await RestoredEtcd.start(path);
      try {
        await checkEqual(member!.address, restored.address, compacted);
      } finally {
        await restored.close();
      }
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});

test("saved while puts go on: the hash at its revision is that of etcd", { skip }, async () => {
  await withCluster({}, async (cluster) => {
    const folder = mkdtempSync(join(tmpdir(), "quorate-snapshot-"));
    const writers = new Writers(cluster.members, 16, "w/");
    try {
      await eventually("1000 puts", () => writers.acknowledgedAt.length >= 1000);
      const leader = await cluster.leader();
      const path = join(folder, "snapshot.db");
      await mustEtcdctl(leader.address, ["snapshot", "save", path]);
      const before = writers.acknowledgedAt.length;
      await eventually("more puts", () => writers.acknowledgedAt.length > before + 100);
      await writers.stop();
      const { revision } = await snapshotStatus(path);
      const restored = await RestoredEtcd.start(path);
      try {
        const theirs = await etcdHash(restored.address);
        equal(theirs.revision, revision);
        deepEqual(theirs.hash, (await etcdHash(leader.address, revision)).hash);
        notEqual((await etcdHash(leader.address)).revision, revision, "puts did go on");
      } finally {
        await restored.close();
      }
    } finally {
      await writers.stop();
      rmSync(folder, { recursive: true, force: true });
    }
  });
});

/** Rows of every kind, then a compaction, whose revision it gives, and more of them. */
async function everyKind(client: GrpcClient, other: GrpcClient): Promise<number> {
  for (let n = 0; n < 300; n++) await mustPut(client, `k/${n % 200}`, `value ${n}`);
  await mustPut(client, "empty", "");
  await mustPut(other, "large", "x".repeat(1_000_000));
  await mustPut(client, "large2", "y".repeat(4040));
  await mustDelete(client, "k/7");
  await mustTxn(client, ["t/1", "t/2", "k/7"]);
  await mustDelete(client, "k/8");
  await mustDelete(client, "t/1");
  const compacted = await revisionOf(client);
  equal((await compact(client, compacted)).code, GrpcCode.Ok);
  for (let n = 0; n < 100; n++) await mustPut(client, `k/${n}`, `after ${n}`);
  await mustTxn(other, ["t/1", "t/3"]);
  await mustDelete(client, "k/9");
  await mustDelete(client, "large2");
  const binary = new PutRequest({ key: Buffer.from([0xff, 0, 0x80]), value: Buffer.from([0, 1]) });
  equal((await call(client, "Put", encodePutRequest(binary))).code, GrpcCode.Ok);
  return compacted;
}

async function checkEqual(ours: string, theirs: string, compacted: number): Promise<void> {
  const now = await etcdHash(ours);
  deepEqual(await etcdHash(theirs), now);
  const questions = [
    ["get", "", "--from-key"],
    ["get", "", "--from-key", `--rev=${compacted}`],
    ["get", "", "--from-key", `--rev=${compacted + 50}`],
    ["get", "k/9", `--rev=${now.revision - 3}`],
    ["get", "t/", "--prefix", `--rev=${now.revision - 2}`],
    ["get", "", "--from-key", `--rev=${compacted - 1}`],
  ];
  for (const question of questions) {
    const [mine, yours] = await Promise.all(
      [ours, theirs].map((address) => etcdctl(address, [...question, "--write-out=json"])),
    );
    deepEqual(plain(yours!), plain(mine!), question.join(" "));
  }
  for (const revision of [compacted + 1, compacted + 77, now.revision - 1]) {
    deepEqual((await etcdHash(theirs, revision)).hash, (await etcdHash(ours, revision)).hash);
  }
}

/** Without ids and terms, which are each cluster's own. */
function plain({ code, out, err }: { code: number | null; out: string; err: string }): unknown {
  const own = /"(?:cluster_id|member_id|raft_term)":\d+,?|endpoint:\/\/\S+|"ts":"[^"]*"/g;
  return { code, out: out.replace(own, ""), err: err.replace(own, "") };
}

function call(client: GrpcClient, method: string, message: Uint8Array): ReturnType<typeof put> {
  return client.call(`/etcdserverpb.KV/${method}`, message, 10_000);
}

async function mustPut(client: GrpcClient, key: string, value: string): Promise<void> {
  equal((await put(client, key, value)).code, GrpcCode.Ok);
}

async function mustDelete(client: GrpcClient, key: string): Promise<void> {
  const message = encodeDeleteRangeRequest(new DeleteRangeRequest({ key: Buffer.from(key) }));
  equal((await call(client, "DeleteRange", message)).code, GrpcCode.Ok);
}

async function mustTxn(client: GrpcClient, keys: readonly string[]): Promise<void> {
  const success = keys.map(
    (key) => new PutRequest({ key: Buffer.from(key), value: Buffer.from(`of one: ${key}`) }),
  );
  const message = encodeTxnRequest(new TxnRequest({ success }));
  equal((await call(client, "Txn", message)).code, GrpcCode.Ok);
}

async function revisionOf(client: GrpcClient): Promise<number> {
  return (await etcdHash(client.address)).revision;
}
