// Maintenance.Snapshot on the wire: its blobs, its bounds, and that a client that stops reading keeps the
// moment it asked at. Method: a client that reads when it is told to; what a snapshot holds is read with
// our own reader of bbolt files.
import { equal, ok } from "node:assert/strict";
import { test } from "node:test";
import { GrpcCode } from "@quorate/grpc";
import { decodeRevisionKey } from "@quorate/kv";
import { BoltDamage, openBolt } from "@quorate/server/internal";
import { withCluster } from "../../processes/cluster.ts";
import type { TestCluster } from "../../processes/cluster.ts";
import { eventually } from "../../processes/eventually.ts";
import { compact, put } from "../../processes/kv-calls.ts";
import type { TestMember } from "../../processes/member.ts";
import { SnapshotCall } from "./snapshot-call.ts";

interface Contents {
  readonly rows: number;
  readonly lastRevision: number;
}

function contentsOf(body: Buffer): Contents {
  const read = (offset: number, length: number): Uint8Array =>
    body.subarray(offset, offset + length);
  const reader = openBolt({ bytes: body.length, read });
  ok(!(reader instanceof BoltDamage));
  const buckets = reader.buckets();
  ok(!(buckets instanceof BoltDamage));
  const key = buckets.get("key")!;
  let rows = 0;
  let lastRevision = 0;
  for (let row = key.next(); row !== null; row = key.next()) {
    ok(!(row instanceof BoltDamage));
    rows += 1;
    lastRevision = decodeRevisionKey(row.key)!.main;
  }
  return { rows, lastRevision };
}

async function fill(member: TestMember, from: number, to: number): Promise<void> {
  const value = "v".repeat(4000);
  for (let n = from; n < to; n += 50) {
    const batch = Array.from({ length: 50 }, (_, at) => put(member.client, `k/${n + at}`, value));
    for (const { code } of await Promise.all(batch)) equal(code, GrpcCode.Ok);
  }
}

async function alone(
  use: (member: TestMember, cluster: TestCluster) => Promise<void>,
): Promise<void> {
  const flags = ["--checkpoint-interval=100"];
  await withCluster({ size: 1, flags }, (cluster) => use(cluster.members[0]!, cluster));
}

test("a snapshot holds what was acknowledged before it was asked for, in etcd's blobs", async () => {
  await alone(async (member) => {
    const empty = new SnapshotCall(member.address);
    equal((await empty.ended).code, GrpcCode.Ok);
    equal(empty.problem(), null);
    equal(contentsOf(empty.body).rows, 0);
    await fill(member, 0, 500);
    const call = new SnapshotCall(member.address);
    equal((await call.ended).code, GrpcCode.Ok);
    equal(call.problem(), null);
    ok(call.blobs.length > 60, `${call.blobs.length} blobs`);
    const found = contentsOf(call.body);
    equal(found.rows, 500);
    equal(found.lastRevision, 501);
    empty.close();
    call.close();
  });
});

test("a client that stops reading gets the moment it asked at, whatever comes and goes", async () => {
  await alone(async (member) => {
    await fill(member, 0, 1000);
    const call = new SnapshotCall(member.address, true);
    await eventually("its first blob", () => call.blobs.length > 0);
    // Every row is superseded and compacted.
    await fill(member, 0, 1000);
    await fill(member, 0, 1000);
    equal((await compact(member.client, 3001)).code, GrpcCode.Ok);
    await fill(member, 0, 50);
    const other = new SnapshotCall(member.address);
    equal((await other.ended).code, GrpcCode.Ok);
    equal(contentsOf(other.body).rows, 1000 + 50);
    ok(other.problem() === null && call.blobs.length < 50, "the first one still waits");
    call.resume();
    equal((await call.ended).code, GrpcCode.Ok);
    equal(call.problem(), null);
    const found = contentsOf(call.body);
    equal(found.rows, 1000);
    equal(found.lastRevision, 1001);
    call.close();
    other.close();
  });
});

test("so many at once and no more; who goes away makes room", async () => {
  await alone(async (member) => {
    await fill(member, 0, 1000);
    const calls = Array.from({ length: 4 }, () => new SnapshotCall(member.address, true));
    await eventually("the first blob of each", () => calls.every(({ blobs }) => blobs.length > 0));
    const refused = new SnapshotCall(member.address);
    const { code, text } = await refused.ended;
    equal(code, GrpcCode.ResourceExhausted);
    equal(text, "etcdserver: too many requests");
    for (const call of calls) call.cancel();
    const next = await eventually("room for another", async () => {
      const call = new SnapshotCall(member.address);
      const ended = await call.ended;
      call.close();
      return ended.code === GrpcCode.Ok ? call : null;
    });
    equal(next.problem(), null);
    refused.close();
  });
});
