// MoveLeader, Defragment and Hash answer as those of a real etcd: code, text and bytes. Method: the same
// requests to three members of each; which of them leads is asked of each cluster.
import { deepEqual, equal, notEqual } from "node:assert/strict";
import { test } from "node:test";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { GrpcClient, GrpcCode } from "@quorate/grpc";
import type { GrpcResult } from "@quorate/grpc";
import { etcd as pb } from "@quorate/proto";
import { withCluster } from "./cluster.ts";
import { EtcdCluster, etcdMissing } from "./etcd-cluster.ts";
import { eventually } from "./eventually.ts";
import { put } from "./kv-calls.ts";

const missing = etcdMissing();
if (missing !== null)
  process.stderr.write(`\nSKIPPED tests against etcd's Maintenance: ${missing}\n\n`);

const timeoutMs = 20_000;

function call(client: GrpcClient, method: string, message: Uint8Array): Promise<GrpcResult> {
  return client.call(`/etcdserverpb.Maintenance/${method}`, message, timeoutMs);
}

function moveLeader(client: GrpcClient, targetID: bigint): Promise<GrpcResult> {
  const request = create(pb.MoveLeaderRequestSchema, { targetID });
  return call(client, "MoveLeader", toBinary(pb.MoveLeaderRequestSchema, request));
}

async function statusOf(client: GrpcClient): Promise<pb.StatusResponse | null> {
  const { message } = await call(client, "Status", new Uint8Array(0));
  return message === null ? null : fromBinary(pb.StatusResponseSchema, message);
}

/** Member ids in the order of the clients, once all follow one leader. */
async function idsOf(clients: readonly GrpcClient[]): Promise<{ ids: bigint[]; leader: bigint }> {
  return eventually("one leader", async () => {
    const all = await Promise.all(clients.map(statusOf));
    const leader = all[0]?.leader ?? 0n;
    const agree = all.every((one) => one !== null && one.leader === leader);
    if (!agree || leader === 0n) return null;
    return { ids: all.map((one) => one!.header!.memberId), leader };
  });
}

type Said = readonly [code: number, text: string, bytes: string];

function said({ code, text, message }: GrpcResult): Said {
  return [code, text, Buffer.from(message ?? []).toString("hex")];
}

async function ask(clients: readonly GrpcClient[]): Promise<readonly Said[]> {
  const { ids, leader } = await idsOf(clients);
  const at = ids.indexOf(leader);
  const [leading, following] = [clients[at]!, clients[(at + 1) % clients.length]!];
  const heir = ids[(at + 1) % clients.length]!;
  const answers = [
    said(await call(following, "Defragment", new Uint8Array(0))),
    said(await moveLeader(following, heir)),
    said(await moveLeader(leading, 1n)),
    said(await moveLeader(leading, leader)),
    said(await moveLeader(leading, heir)),
  ];
  equal((await idsOf(clients)).leader, heir, "it leads");
  return answers;
}

test("answers of Defragment and MoveLeader are etcd's", { skip: missing ?? false }, async () => {
  const theirs = await EtcdCluster.start(3);
  const clients = theirs.addresses.map((address) => new GrpcClient(address));
  try {
    await withCluster({}, async (cluster) => {
      const ours = await ask(cluster.members.map(({ client }) => client));
      deepEqual(ours, await ask(clients));
      deepEqual(
        ours.map(([code]) => code),
        [
          GrpcCode.Ok,
          GrpcCode.FailedPrecondition,
          GrpcCode.FailedPrecondition,
          GrpcCode.Ok,
          GrpcCode.Ok,
        ],
      );
    });
  } finally {
    for (const client of clients) client.close();
    await theirs.close();
  }
});

test("Hash is equal on members that have applied the same, and follows what is written", async () => {
  await withCluster({}, async (cluster) => {
    const hashes = async (): Promise<pb.HashResponse[]> => {
      await cluster.equalDigests();
      const all = cluster.members.map(({ client }) => call(client, "Hash", new Uint8Array(0)));
      return (await Promise.all(all)).map((result) => {
        equal(result.code, GrpcCode.Ok, result.text);
        return fromBinary(pb.HashResponseSchema, result.message!);
      });
    };
    const before = await hashes();
    equal(new Set(before.map(({ hash }) => hash)).size, 1);
    equal((await put(cluster.members[0]!.client, "k", "v")).code, GrpcCode.Ok);
    const after = await hashes();
    equal(new Set(after.map(({ hash }) => hash)).size, 1);
    notEqual(after[0]!.hash, before[0]!.hash);
    equal(after[0]!.header!.revision, before[0]!.header!.revision + 1n);
  });
});
