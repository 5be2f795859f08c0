// `quorate recover verify`: the survivors that were started after a recovery are one cluster that serves,
// and nobody of the cluster before it does. One line a verdict; a line with ! says what is wrong.
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { utf8Decode, utf8Encode } from "@quorate/base";
import { GrpcCode } from "@quorate/grpc";
import type { GrpcTls } from "@quorate/grpc";
import {
  decodeRangeResponse,
  DeleteRangeRequest,
  encodeDeleteRangeRequest,
  encodePutRequest,
  encodeRangeRequest,
  PutRequest,
  RangeRequest,
} from "@quorate/kv";
import { etcd } from "@quorate/proto";
import type { TlsOptions } from "@quorate/server";
import { callOnce, ClusterClient } from "../client/cluster-client.ts";
import { CommandError, exitCodes } from "../exit.ts";
import { askMember, type Asked, type MemberReport } from "../status/member-report.ts";
import { oldMembers, type Verdict } from "./old-members.ts";
import { nameOf, type PlanFile, readPlanFile } from "./plan-file.ts";
import { OfflineDisk } from "./stage.ts";

const stepMs = 100;

/** The survivors, and how they are asked. */
interface Survivors {
  readonly endpoints: readonly string[];
  readonly timeoutMs: number;
  readonly tls: GrpcTls;
  /** How the old members are asked; null: without a certificate. */
  readonly peerTls: TlsOptions | null;
}

export async function verify(path: string, survivors: Survivors): Promise<void> {
  const { endpoints, timeoutMs, tls, peerTls } = survivors;
  const file = readPlanFile(path);
  const { env } = new OfflineDisk("verify", peerTls);
  let bad = 0;
  const tell = ({ good, words }: Verdict): void => {
    if (!good) bad += 1;
    process.stdout.write(`${good ? "ok" : "!"}  ${words}\n`);
  };
  const asked = await Promise.all(endpoints.map((address) => askMember(address, timeoutMs, tls)));
  for (const verdict of survivorVerdicts(file, asked)) tell(verdict);
  if (asked.every((one) => one.ok && one.report.clusterId === file.clusterId)) {
    // The write first: right after the recovery every revision counts as compacted, and has no hash.
    tell(await probe(survivors, file.planId));
    tell(await sameState(survivors));
  } else {
    tell({ good: false, words: "state, write and read were not tried: see above" });
  }
  for (const verdict of await oldMembers(env, file, timeoutMs)) tell(verdict);
  const end =
    bad === 0 ? "verified" : `not verified: ${bad} of these lines are not as they should be`;
  process.stdout.write(`${end}\n`);
  if (bad > 0) process.exitCode = exitCodes.failed;
}

function survivorVerdicts(file: PlanFile, asked: readonly Asked[]): Verdict[] {
  const verdicts = asked.map((one) => verdictOf(file, one));
  const here = new Set(asked.map((one) => (one.ok ? one.report.memberId : "")));
  for (const survivor of file.survivors) {
    if (here.has(survivor.memberId)) continue;
    const words = `${nameOf(survivor)}, which the plan keeps, has not answered at any of the endpoints`;
    verdicts.push({ good: false, words });
  }
  return verdicts;
}

function verdictOf(file: PlanFile, asked: Asked): Verdict {
  const { address } = asked;
  if (!asked.ok) return { good: false, words: `${address} does not answer: ${asked.reason}` };
  const { name, clusterId, phase, leader, reason } = asked.report;
  const who = `${name} at ${address}`;
  if (clusterId !== file.clusterId) {
    const which = clusterId === file.oldClusterId ? "the old cluster" : "another cluster";
    return { good: false, words: `${who} is of ${which} ${clusterId}, not of ${file.clusterId}` };
  }
  if (phase !== "running" || leader === "") {
    return {
      good: false,
      words: `${who} does not serve: ${reason || `phase ${phase}, no leader`}`,
    };
  }
  return { good: true, words: `${who} is of cluster ${clusterId} and follows ${leader}` };
}

/** All have applied the same entry at one time, with the same digest; and the same hash of all rows. */
async function sameState(survivors: Survivors): Promise<Verdict> {
  const { endpoints, timeoutMs, tls } = survivors;
  const endMs = performance.now() + timeoutMs;
  let words = "";
  do {
    const asked = await Promise.all(endpoints.map((address) => askMember(address, timeoutMs, tls)));
    const reports = asked.flatMap((one) => (one.ok ? [one.report] : []));
    words = differenceOf(reports);
    if (words === "" && reports.length === endpoints.length) {
      return sameHash(survivors, reports[0]!);
    }
    await new Promise((resolve) => setTimeout(resolve, stepMs));
  } while (performance.now() < endMs);
  return { good: false, words: words || "not all answer at the same time" };
}

function differenceOf(reports: readonly MemberReport[]): string {
  const points = new Set(reports.map(({ applied, liveDigest }) => `${applied} ${liveDigest}`));
  if (points.size <= 1) return "";
  const all = reports.map(
    ({ name, applied, liveDigest }) => `${name} entry ${applied} digest ${liveDigest}`,
  );
  return `the members do not come to the same state: ${all.join(", ")}`;
}

async function sameHash(
  { endpoints, timeoutMs, tls }: Survivors,
  { revision, applied, liveDigest }: MemberReport,
): Promise<Verdict> {
  const request = create(etcd.HashKVRequestSchema, { revision: BigInt(revision) });
  const bytes = toBinary(etcd.HashKVRequestSchema, request);
  const hashes = await Promise.all(
    endpoints.map(async (address) => {
      const path = "/etcdserverpb.Maintenance/HashKV";
      const result = await callOnce(address, path, bytes, timeoutMs, tls);
      if (result.code !== GrpcCode.Ok || result.message === null) return result.text;
      return String(fromBinary(etcd.HashKVResponseSchema, result.message).hash);
    }),
  );
  const same = new Set(hashes).size === 1 && /^\d+$/.test(hashes[0]!);
  if (!same) {
    return { good: false, words: `HashKV at revision ${revision} differs: ${hashes.join(", ")}` };
  }
  const words = `all have digest ${liveDigest} at entry ${applied}, and hash ${hashes[0]} at revision ${revision}`;
  return { good: true, words };
}

/** A key that is written, read at each endpoint so that the write must be seen, and deleted. */
async function probe({ endpoints, timeoutMs, tls }: Survivors, planId: string): Promise<Verdict> {
  const key = utf8Encode(`quorate/recover/${planId}`);
  const value = `probe ${Date.now()}`;
  const client = new ClusterClient(endpoints, timeoutMs, tls);
  try {
    const put = new PutRequest({ key, value: utf8Encode(value) });
    await client.call("/etcdserverpb.KV/Put", encodePutRequest(put));
    for (const address of endpoints) {
      const range = encodeRangeRequest(new RangeRequest({ key }));
      const one = new ClusterClient([address], timeoutMs, tls);
      const answer = decodeRangeResponse(await one.read("/etcdserverpb.KV/Range", range));
      const found = answer?.kvs[0] === undefined ? "nothing" : utf8Decode(answer.kvs[0].value);
      if (found === value) continue;
      return { good: false, words: `a write was acknowledged, and ${address} reads ${found}` };
    }
    const del = encodeDeleteRangeRequest(new DeleteRangeRequest({ key }));
    await client.call("/etcdserverpb.KV/DeleteRange", del);
    return { good: true, words: "a write was acknowledged, and is read at each of them" };
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    return { good: false, words: `a write or its read failed: ${error.message}` };
  }
}
