// Hash, where Quorate departs from etcd: equal on members that have applied the same.
import { equal, notEqual } from "node:assert/strict";
import { test } from "node:test";
import { fromBinary } from "@bufbuild/protobuf";
import { GrpcCode } from "@quorate/grpc";
import { etcd } from "@quorate/proto";
import { withCluster } from "../../processes/cluster.ts";
import { put } from "../../processes/kv-calls.ts";

const path = "/etcdserverpb.Maintenance/Hash";
const timeoutMs = 20_000;

test("Hash is equal on members that have applied the same, and follows what is written", async () => {
  await withCluster({}, async (cluster) => {
    const hashes = async (): Promise<etcd.HashResponse[]> => {
      await cluster.equalDigests();
      const all = cluster.members.map(({ client }) =>
        client.call(path, new Uint8Array(0), timeoutMs),
      );
      return (await Promise.all(all)).map((result) => {
        equal(result.code, GrpcCode.Ok, result.text);
        return fromBinary(etcd.HashResponseSchema, result.message!);
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
