// --quota-backend-bytes beside a real etcd: puts until one is refused, in the same words, with the same
// alarm; reads and deletes go on. Then what differs: here deletes and a compaction are enough, and the
// alarm goes by itself; etcd wants its file defragmented and the alarm disarmed.
import { deepEqual, equal, ok } from "node:assert/strict";
import { test } from "node:test";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { GrpcClient } from "@quorate/grpc";
import type { GrpcResult } from "@quorate/grpc";
import {
  decodeCompactionResponse,
  DeleteRangeRequest,
  encodeDeleteRangeRequest,
} from "@quorate/kv";
import { etcd as pb } from "@quorate/proto";
import { withCluster } from "./cluster.ts";
import { EtcdCluster, etcdMissing } from "./etcd-cluster.ts";
import { eventually } from "./eventually.ts";
import { compact, put } from "./kv-calls.ts";

const missing = etcdMissing();
if (missing !== null) process.stderr.write(`\nSKIPPED a test beside etcd: ${missing}\n\n`);

const quotaBytes = 2_097_152;
const flags = [`--quota-backend-bytes=${quotaBytes}`];
const valueBytes = 100_000;
const fits = quotaBytes / valueBytes;
/** etcd knows its size as of its last commit, up to 100 ms ago: a fast disk takes many more by then. */
const etcdPutsMax = 50 * fits;

/** Puts until one is refused; how many were not, and how that one was answered. */
async function fill(
  client: GrpcClient,
  putsMax: number = 2 * fits,
): Promise<{ accepted: number; refused: GrpcResult }> {
  for (let n = 0; ; n++) {
    const answer = await put(client, `k${n}`, "v".repeat(valueBytes));
    if (answer.code !== 0) return { accepted: n, refused: answer };
    ok(n <= putsMax, "it is refused at last");
  }
}

async function alarms(client: GrpcClient): Promise<string[]> {
  const request = toBinary(pb.AlarmRequestSchema, create(pb.AlarmRequestSchema));
  const { message } = await client.call("/etcdserverpb.Maintenance/Alarm", request, 5000);
  const listed = fromBinary(pb.AlarmResponseSchema, message!).alarms;
  return listed.map(({ alarm }) => pb.AlarmType[alarm]);
}

function del(client: GrpcClient, key: string, rangeEnd: string = ""): Promise<GrpcResult> {
  const request = new DeleteRangeRequest({
    key: Buffer.from(key),
    rangeEnd: Buffer.from(rangeEnd),
  });
  return client.call("/etcdserverpb.KV/DeleteRange", encodeDeleteRangeRequest(request), 5000);
}

/** What both have in common. */
async function untilFull(client: GrpcClient, putsMax?: number): Promise<readonly unknown[]> {
  const { accepted, refused } = await fill(client, putsMax);
  ok(accepted >= fits / 2, `${accepted} puts fit`);
  await eventually("the alarm is active", async () => (await alarms(client)).length > 0);
  const small = await put(client, "small", "v");
  const gone = await del(client, "k0");
  return [refused.code, refused.text, small.code, small.text, gone.code, await alarms(client)];
}

test(
  "above the quota puts are refused as etcd refuses them",
  { skip: missing ?? false },
  async () => {
    const etcd = await EtcdCluster.start(1, flags);
    const client = new GrpcClient(etcd.addresses[0]!);
    try {
      await eventually("etcd serves", async () => (await put(client, "a", "b", 500)).code === 0);
      const theirs = await untilFull(client, etcdPutsMax);
      deepEqual(theirs, [
        8,
        "etcdserver: mvcc: database space exceeded",
        8,
        "etcdserver: mvcc: database space exceeded",
        0,
        ["NOSPACE"],
      ]);
      await withCluster({ size: 1, flags }, async ({ members }) => {
        const own = new GrpcClient(members[0]!.address);
        deepEqual(await untilFull(own), theirs);
        own.close();
      });
    } finally {
      client.close();
      await etcd.close();
    }
  },
);

test("deletes and a compaction end the alarm of the quota by themselves", async () => {
  await withCluster({ size: 3, flags }, async ({ members }) => {
    const clients = members.map(({ address }) => new GrpcClient(address));
    const [client] = clients as [GrpcClient];
    await fill(client);
    for (const one of clients) {
      await eventually("the alarm is active", async () => (await alarms(one)).length === 1);
      equal((await put(one, "small", "v")).text, "etcdserver: mvcc: database space exceeded");
    }
    const deleted = await del(client, "k", "l");
    equal(deleted.code, 0);
    equal((await put(client, "small", "v")).code, 8, "the past still takes room");
    const { header } = decodeCompactionResponse(deleted.message!)!;
    equal((await compact(client, header.revision)).code, 0);
    for (const one of clients) {
      await eventually("puts are accepted", async () => (await put(one, "again", "v")).code === 0);
      deepEqual(await alarms(one), []);
      one.close();
    }
  });
});
