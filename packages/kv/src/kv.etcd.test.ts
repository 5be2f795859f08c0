// Compares the state machine with a real etcd 3.4, byte for byte: the same random history of
// requests goes to both, and every response, every error and every hash must be the same.
import { deepEqual, equal, ok } from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { test } from "node:test";
import type { TestContext } from "node:test";
import * as fc from "fast-check";
import { latin1Encode, toHex } from "@quorate/base";
import type { HashKvTask } from "./kv-api.ts";
import { KvError } from "./kv-error.ts";
import { OperationKind } from "./operation.ts";
import { etcdErrors } from "./test/etcd-errors.ts";
import { EtcdProcess } from "./test/etcd-process.ts";
import { Member, txnOpsMax } from "./test/member.ts";
import { rangeKind, Request, anyRequest } from "./test/requests.ts";
import { MemoryRows } from "./testing/memory-rows.ts";
import { decodeRangeResponse } from "./wire/decode-response.ts";
import { encodeRangeRequest } from "./wire/encode-request.ts";
import { ProtoReader } from "./wire/proto-reader.ts";
import { ProtoWriter } from "./wire/proto-writer.ts";
import {
  CompactionRequest,
  DeleteRangeRequest,
  OpType,
  PutRequest,
  RangeRequest,
  TxnRequest,
} from "./wire/request.ts";
import type { RequestOp } from "./wire/request.ts";

const methods = {
  [rangeKind]: "KV/Range",
  [OperationKind.Put]: "KV/Put",
  [OperationKind.DeleteRange]: "KV/DeleteRange",
  [OperationKind.Txn]: "KV/Txn",
  [OperationKind.Compact]: "KV/Compact",
  [OperationKind.LeaseGrant]: "Lease/LeaseGrant",
  [OperationKind.LeaseRevoke]: "Lease/LeaseRevoke",
};

/** Later versions hash other rows and check more at the edge. */
function is34(): boolean {
  const { stdout } = spawnSync("etcd", ["--version"], { encoding: "utf8" });
  const client = spawnSync("etcdctl", ["version"], { encoding: "utf8" });
  return (stdout ?? "").includes("etcd Version: 3.4.") && client.error === undefined;
}

class Pair {
  readonly etcd: EtcdProcess;
  readonly member: Member;
  readonly term: number;

  constructor(etcd: EtcdProcess, member: Member, term: number) {
    this.etcd = etcd;
    this.member = member;
    this.term = term;
  }

  /** Null, after a loud word: there is no etcd here. */
  static async start(context: TestContext): Promise<Pair | null> {
    const etcd = is34() ? await EtcdProcess.start(["--max-txn-ops", String(txnOpsMax)]) : null;
    if (etcd === null) {
      const why = "SKIPPED: no etcd 3.4 here (apt-get install etcd-server etcd-client)";
      process.stderr.write(`${why}\n`);
      context.skip(why);
      return null;
    }
    context.after(() => etcd.stop());
    const probe = encodeRangeRequest(new RangeRequest({ key: latin1Encode("a") }));
    const { header } = decodeRangeResponse((await etcd.call("KV/Range", probe)).bytes)!;
    const options = { clusterId: header.clusterId, memberId: header.memberId, wallMs: 1e12 };
    return new Pair(etcd, new Member(new MemoryRows(), options), header.raftTerm);
  }

  async compare(asked: Request): Promise<KvError> {
    const theirs = await this.etcd.call(methods[asked.kind], asked.bytes);
    ok(this.etcd.running, `etcd ended at ${String(asked)}`);
    const ours = this.member.handle(asked, true, this.term);
    if (ours.error === KvError.None) {
      equal(theirs.message, "", `etcd refused ${String(asked)}`);
      equal(toHex(ours.bytes!), toHex(theirs.bytes), `response to ${String(asked)}`);
    } else {
      deepEqual([theirs.code, theirs.message], etcdErrors[ours.error], `error of ${String(asked)}`);
    }
    return ours.error;
  }

  async compareHash(revision: number): Promise<number> {
    const writer = new ProtoWriter();
    writer.int64(0x08, revision);
    const theirs = await this.etcd.call("Maintenance/HashKV", writer.take());
    const ours = this.member.kv.hashKv(revision);
    if (typeof ours === "number") {
      deepEqual([theirs.code, theirs.message], etcdErrors[ours], `hashKv(${revision})`);
      return 0;
    }
    while (!ours.step(3));
    const { hash, compactRevision } = readHash(theirs.bytes);
    deepEqual([ours.hash, ours.compactRevision], [hash, compactRevision], `hashKv(${revision})`);
    return ours.hash;
  }
}

function readHash(bytes: Uint8Array): Pick<HashKvTask, "hash" | "compactRevision"> {
  const reader = new ProtoReader(bytes);
  const answer = { hash: 0, compactRevision: 0 };
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag === 0x10) answer.hash = reader.int64();
    else if (tag === 0x18) answer.compactRevision = reader.int64();
    else reader.skip(tag);
  }
  ok(reader.ok);
  return answer;
}

// etcd's process ends when a transaction takes over the value of a key that a delete without end
// in front has removed (see TxnRun); that cannot be compared.
function kills(asked: Request): boolean {
  if (!(asked.content instanceof TxnRequest)) return false;
  const all: RequestOp[] = [];
  const walk = (op: RequestOp): void => {
    all.push(op);
    if (op?.type === OpType.Txn) [...op.success, ...op.failure].forEach(walk);
  };
  walk(asked.content);
  const endless = all.some((op) => op?.type === OpType.DeleteRange && op.rangeEnd[0] === 0);
  const takesOver = (op: RequestOp): boolean =>
    op?.type === OpType.Put && (op.ignoreValue || op.ignoreLease);
  return endless && all.some(takesOver);
}

test("random histories get from us what etcd answers, byte for byte", async (context) => {
  const pair = await Pair.start(context);
  if (pair === null) return;
  const seed = Number(process.env["QUORATE_SEED"] ?? 20260);
  const history = fc.sample(anyRequest, { seed, numRuns: 1500 }).filter((asked) => !kills(asked));
  const outcomes = new Map<KvError, number>();
  for (const [step, asked] of history.entries()) {
    const error = await pair.compare(asked);
    outcomes.set(error, (outcomes.get(error) ?? 0) + 1);
    if (step % 25 === 0) {
      await pair.compareHash(0);
      await pair.compareHash(Math.max(-1, pair.member.kv.revision - (step % 40)));
    }
  }
  // The history is no comparison if it does not get to every rule.
  for (const error of Object.keys(etcdErrors).map(Number) as KvError[]) {
    ok(outcomes.has(error), `no request ended with error ${error}`);
  }
  ok(outcomes.get(KvError.None)! > history.length / 3);
});

test("HashKV is etcd's before, between and after compactions, also by etcdctl", async (context) => {
  const pair = await Pair.start(context);
  if (pair === null) return;
  const key = latin1Encode("k");
  const put = (text: string, value: string): Request => {
    const content = new PutRequest({ key: latin1Encode(text), value: latin1Encode(value) });
    return new Request(OperationKind.Put, content);
  };
  const compact = (revision: number): Request =>
    new Request(OperationKind.Compact, new CompactionRequest({ revision, physical: true }));
  await pair.compareHash(0);
  for (const text of ["k", "l", "k", "m", "k"]) {
    await pair.compare(put(text, `value of ${text}`));
    await pair.compareHash(0);
  }
  await pair.compare(new Request(OperationKind.DeleteRange, new DeleteRangeRequest({ key })));
  const txn = new TxnRequest({
    success: [
      new PutRequest({ key: latin1Encode("n"), value: key }),
      new DeleteRangeRequest({ key: latin1Encode("l"), rangeEnd: latin1Encode("n") }),
    ],
  });
  await pair.compare(new Request(OperationKind.Txn, txn));
  const hashes = new Set<number>();
  for (const revision of [3, 5, 7, 8]) {
    equal(await pair.compare(compact(revision)), KvError.None);
    // Also half-cleaned: what is hashed does not depend on how far the cleaning is.
    for (const at of [0, revision, revision + 1, 8, 100, -1]) {
      hashes.add(await pair.compareHash(at));
    }
    pair.member.kv.compactStep(1);
    hashes.add(await pair.compareHash(0));
  }
  ok(hashes.size > 5);
  // No key alive: etcd then hashes what a compaction has left below.
  const all = new DeleteRangeRequest({ key: latin1Encode("\0"), rangeEnd: latin1Encode("\0") });
  await pair.compare(put("z", "last"));
  await pair.compare(compact(9));
  await pair.compare(new Request(OperationKind.DeleteRange, all));
  const last = await pair.compareHash(0);
  const out = execFileSync("etcdctl", ["--endpoints", pair.etcd.clientUrl, "endpoint", "hashkv"], {
    env: { ...process.env, ETCDCTL_API: "3" },
    encoding: "utf8",
  });
  equal(out.trim(), `${pair.etcd.clientUrl}, ${last}`);
});
