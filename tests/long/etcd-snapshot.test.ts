// 500,000 keys: a snapshot is saved while puts go on; etcd restored from it and Quorate that imported it
// hold the same rows, by HashKV at its revision. Method: a steady pace of puts, whose latencies before and
// meanwhile are told with the time and the memory that it took.
import { equal, ok } from "node:assert/strict";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { utf8Encode } from "@quorate/base";
import { TestCluster, withCluster } from "../processes/cluster.ts";
import { runQuorate } from "../processes/entry.ts";
import { etcdMissing } from "../processes/etcd-cluster.ts";
import { compact } from "../processes/kv-calls.ts";
import {
  etcdHash,
  mustEtcdctl,
  RestoredEtcd,
  snapshotStatus,
} from "../conformance/snapshot/restored-etcd.ts";
import { memoryOf, mib } from "./footprint.ts";
import { PacedPuts } from "./paced-puts.ts";
import { makePuts } from "./puts.ts";

/** Smaller for a quick look: QUORATE_LONG_KEYS=50000 QUORATE_LONG_RATE=500. */
const keys = Number(process.env["QUORATE_LONG_KEYS"] ?? 500_000);
const putsPerSecond = Number(process.env["QUORATE_LONG_RATE"] ?? 5000);
const valueBytes = 256;
const calmMs = 10_000;
/** More than before, while it is saved: one page a level, blobs on their way, blocks of rows. */
const moreBytesMax = 268_435_456;

const missing = etcdMissing();
if (missing !== null) process.stderr.write(`\nSKIPPED the long test of snapshots: ${missing}\n\n`);

test(
  "a snapshot of many keys, saved under puts, is the same in etcd and in Quorate",
  {
    skip: missing ?? false,
  },
  async (t) => {
    const folder = mkdtempSync(join(tmpdir(), "quorate-long-snapshot-"));
    const path = join(folder, "snapshot.db");
    try {
      await withCluster({}, async (cluster) => {
        await fill(cluster, t.diagnostic.bind(t));
        const leader = await cluster.leader();
        const puts = await PacedPuts.start(leader.address, putsPerSecond);
        await new Promise((resolve) => setTimeout(resolve, calmMs));
        const calm = puts.take();
        const before = memoryOf(leader.pid).bytes;
        const startedMs = performance.now();
        await mustEtcdctl(leader.address, ["snapshot", "save", path]);
        const seconds = (performance.now() - startedMs) / 1000;
        const during = puts.take();
        const { peakBytes } = memoryOf(leader.pid);
        await puts.stop();
        const { size } = statSync(path);
        t.diagnostic(`saved ${mib(size)} in ${seconds.toFixed(1)} s`);
        t.diagnostic(`puts before:    ${String(calm)}`);
        t.diagnostic(`puts meanwhile: ${String(during)}`);
        t.diagnostic(`RSS of the leader: ${mib(before)} before, peak ${mib(peakBytes)}`);
        ok(peakBytes - before <= moreBytesMax, `${mib(peakBytes - before)} more`);

        const status = await snapshotStatus(path);
        equal(status.totalSize + 32, size);
        ok(status.totalKey > keys, `${status.totalKey} keys`);
        const ours = await etcdHash(leader.address, status.revision);
        ok(ours.revision > status.revision || during.count === 0, "puts went on");
        equal(await hashInEtcd(path, status.revision), ours.hash, "etcd holds the same rows");
        equal(await hashImported(path), ours.hash, "Quorate that imported it does");
        await cluster.equalDigests();
      });
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
);

/** A tenth of the keys is written twice, and half of that compacted. */
async function fill(cluster: TestCluster, print: (text: string) => void): Promise<void> {
  const value = new Uint8Array(valueBytes);
  const result = await makePuts(cluster, {
    count: Math.floor(keys * 1.1),
    inFlight: 256,
    key: (n) => utf8Encode(`long/${n % keys}`),
    value: (n) => value.fill(n % 251),
  });
  print(`${keys} keys in ${result.seconds.toFixed(1)} s`);
  const leader = await cluster.leader();
  equal((await compact(leader.client, Math.floor(keys * 1.05))).code, 0);
}

async function hashInEtcd(path: string, revision: number): Promise<number> {
  const restored = await RestoredEtcd.start(path);
  try {
    const found = await etcdHash(restored.address);
    equal(found.revision, revision);
    return found.hash;
  } finally {
    await restored.close();
  }
}

async function hashImported(path: string): Promise<number> {
  const cluster = await TestCluster.make({ size: 1 });
  try {
    const [member] = cluster.members;
    const list = member!.flags.find((flag) => flag.startsWith("--initial-cluster="))!;
    const argv = ["import", path, `--data-dir=${member!.directory}`, list];
    const { code, stderr } = await runQuorate(argv);
    equal(code, 0, stderr);
    cluster.start();
    await cluster.ready();
    return (await etcdHash(member!.address)).hash;
  } finally {
    await cluster.close();
  }
}
