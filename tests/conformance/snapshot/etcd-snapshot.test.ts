// The way back to etcd: Debian's etcdctl saves, checks and restores a snapshot of Quorate, and a real etcd
// starts from it with every key, revision and hash. Method: both sides are asked the same questions after
// it; the rows are of every kind: overwritten, deleted, of one transaction, binary, empty and large.
import { deepEqual, equal, match, notEqual } from "node:assert/strict";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { withCluster } from "../../processes/cluster.ts";
import { etcdMissing } from "../../processes/etcd-cluster.ts";
import { checkEqual, everyKind } from "./every-kind.ts";
import { eventually } from "../../processes/eventually.ts";
import { etcdHash, mustEtcdctl, RestoredEtcd, snapshotStatus } from "./restored-etcd.ts";
import type { SnapshotStatus } from "./restored-etcd.ts";
import { Writers } from "../../processes/writers.ts";

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
