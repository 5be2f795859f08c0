// Rows of every kind for tests that carry them from one store to another, and the questions that both
// must answer alike afterwards.
import { deepEqual, equal } from "node:assert/strict";
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
import { compact, put } from "../../processes/kv-calls.ts";
import { etcdctl, etcdHash } from "./restored-etcd.ts";

/** Rows of every kind, then a compaction, whose revision it gives, and more of them. */
export async function everyKind(client: GrpcClient, other: GrpcClient): Promise<number> {
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

export async function checkEqual(ours: string, theirs: string, compacted: number): Promise<void> {
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
