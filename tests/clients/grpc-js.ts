// grpc-js and the public protos: every service that etcd's protos have, and what a gRPC client library
// does beneath them: deadlines, cancelled calls, keep-alive pings, compressed messages, many calls at once.
import { deepEqual, equal, match, ok, rejects } from "node:assert/strict";
import { readFileSync } from "node:fs";
import { credentials, status } from "@grpc/grpc-js";
import type { ChannelCredentials } from "@grpc/grpc-js";
import { eventually } from "../processes/eventually.ts";
import { accounts } from "./accounts.ts";
import { GrpcJs, Messages } from "./grpc-client.ts";
import type { Header, KeyValue, RangeReply, WatchReply } from "./grpc-client.ts";
import type { ClientSuite, Cluster, SecureServer } from "./suite.ts";

const kv = "etcdserverpb.KV";
const watch = "etcdserverpb.Watch";
const lease = "etcdserverpb.Lease";
const bytes = (text: string): Buffer => Buffer.from(text);

function withChannel(
  use: (client: GrpcJs, cluster: Cluster) => Promise<void>,
  options: Readonly<Record<string, number>> = {},
): (cluster: Cluster) => Promise<void> {
  return async (cluster) => {
    const client = new GrpcJs(cluster[0]!, credentials.createInsecure(), options);
    try {
      await use(client, cluster);
    } finally {
      client.close();
    }
  };
}

async function keys(client: GrpcJs): Promise<void> {
  const { header } = await client.put("grpc/k/a", "1");
  ok(BigInt(header.cluster_id) > 0n && BigInt(header.member_id) > 0n);
  await client.put("grpc/k/b", "2");
  const again = await client.unary<{ prev_kv: KeyValue }>(kv, "Put", {
    key: bytes("grpc/k/a"),
    value: bytes("3"),
    prev_kv: true,
  });
  deepEqual([again.prev_kv.value.toString(), again.prev_kv.version], ["1", "1"]);
  const all = await client.range("grpc/k/", {
    range_end: bytes("grpc/k0"),
    sort_order: "DESCEND",
    sort_target: "MOD",
    limit: 1,
  });
  deepEqual([all.kvs[0]!.value.toString(), all.more, all.count], ["3", true, "2"]);
  const old = await client.range("grpc/k/a", { revision: header.revision });
  equal(old.kvs[0]!.value.toString(), "1");
  const txn = await client.unary<{ succeeded: boolean; responses: object[] }>(kv, "Txn", {
    compare: [{ target: "VERSION", result: "GREATER", key: bytes("grpc/k/a"), version: 1 }],
    success: [
      { request_put: { key: bytes("grpc/k/c"), value: bytes("4") } },
      {
        request_txn: {
          success: [{ request_range: { key: bytes("grpc/k/c") } }],
        },
      },
    ],
  });
  const inner = txn.responses[1] as {
    response_txn: { responses: { response_range: RangeReply }[] };
  };
  const found = inner.response_txn.responses[0]!.response_range.kvs[0]!;
  deepEqual([txn.succeeded, found.value.toString()], [true, "4"]);
  const gone = await client.unary<{ deleted: string }>(kv, "DeleteRange", {
    key: bytes("grpc/k/"),
    range_end: bytes("grpc/k0"),
  });
  equal(gone.deleted, "3");
}

async function watching(client: GrpcJs): Promise<void> {
  const stream = client.duplex(watch, "Watch");
  const messages = new Messages<WatchReply>(stream);
  const key = bytes("grpc/w/");
  stream.write({ create_request: { key, range_end: bytes("grpc/w0"), prev_kv: true } });
  stream.write({ create_request: { key: bytes("grpc/w/1"), filters: ["NOPUT"], watch_id: 7 } });
  const created = [await messages.next(), await messages.next()];
  deepEqual(
    created.map((each) => [each.created, each.watch_id]),
    [
      [true, "0"],
      [true, "7"],
    ],
  );
  await client.put("grpc/w/1", "a");
  const put = await messages.next();
  deepEqual([put.watch_id, put.events[0]!.type, put.events[0]!.prev_kv], ["0", "PUT", null]);
  stream.write({ progress_request: {} });
  const progress = await messages.next();
  equal(progress.events.length, 0);
  ok(BigInt(progress.header.revision) >= BigInt(put.header.revision));
  await client.unary(kv, "DeleteRange", { key: bytes("grpc/w/1") });
  const both = [await messages.next(), await messages.next()];
  deepEqual(both.map((each) => each.watch_id).sort(), ["0", "7"]);
  deepEqual(
    both.map((each) => each.events[0]!.type),
    ["DELETE", "DELETE"],
  );
  const first = both.find((each) => each.watch_id === "0")!;
  equal(first.events[0]!.prev_kv!.value.toString(), "a");
  stream.write({ cancel_request: { watch_id: 0 } });
  const cancelled = await messages.next();
  deepEqual([cancelled.watch_id, cancelled.canceled], ["0", true]);
  // The call is the client's to end: what it hears is its own cancellation.
  messages.cancel();
  await rejects(messages.next(), { code: status.CANCELLED });
}

async function leases(client: GrpcJs): Promise<void> {
  const { ID } = await client.unary<{ ID: string }>(lease, "LeaseGrant", { TTL: 60 });
  await client.put("grpc/l", "x", { lease: ID });
  const stream = client.duplex(lease, "LeaseKeepAlive");
  const messages = new Messages<{ ID: string; TTL: string }>(stream);
  stream.write({ ID });
  const renewed = await messages.next();
  deepEqual([renewed.ID, renewed.TTL], [ID, "60"]);
  stream.write({ ID: 1234 });
  equal((await messages.next()).TTL, "0");
  // Half closed by the client, ended by the server.
  stream.end();
  await rejects(messages.next(), { message: "ended" });
  const left = await client.unary<{ keys: Buffer[] }>(lease, "LeaseTimeToLive", { ID, keys: true });
  deepEqual(left.keys.map(String), ["grpc/l"]);
  const short = await client.unary<{ ID: string }>(lease, "LeaseGrant", { TTL: 1 });
  await client.put("grpc/l", "y", { lease: short.ID });
  await eventually("it ends", async () => (await client.range("grpc/l")).kvs.length === 0);
  const unknown = client.unary(lease, "LeaseRevoke", { ID: short.ID });
  await rejects(unknown, { code: status.NOT_FOUND, details: /requested lease not found/ });
  await client.unary(lease, "LeaseRevoke", { ID });
}

async function lockAndElection(client: GrpcJs): Promise<void> {
  const ids: string[] = [];
  for (let at = 0; at < 2; at += 1) {
    ids.push((await client.unary<{ ID: string }>(lease, "LeaseGrant", { TTL: 60 })).ID);
  }
  const lock = (id: string): Promise<{ key: Buffer }> =>
    client.unary("v3lockpb.Lock", "Lock", { name: bytes("grpc-lock"), lease: id });
  const first = await lock(ids[0]!);
  let held = false;
  const second = lock(ids[1]!).then((reply) => {
    held = true;
    return reply;
  });
  await eventually("the second waits", async () => {
    const range = { range_end: bytes("grpc-lock0"), count_only: true };
    return (await client.range("grpc-lock/", range)).count === "2";
  });
  equal(held, false);
  await client.unary("v3lockpb.Lock", "Unlock", { key: first.key });
  match((await second).key.toString(), /^grpc-lock\//);

  const election = "v3electionpb.Election";
  const name = bytes("grpc-election");
  const observed = new Messages<{ kv: KeyValue }>(client.readable(election, "Observe", { name }));
  const campaign = { name, lease: ids[0], value: bytes("one") };
  const { leader } = await client.unary<{ leader: object }>(election, "Campaign", campaign);
  equal((await observed.next()).kv.value.toString(), "one");
  await client.unary(election, "Proclaim", { leader, value: bytes("uno") });
  equal((await observed.next()).kv.value.toString(), "uno");
  await client.unary(election, "Resign", { leader });
  const none = client.unary(election, "Leader", { name });
  await rejects(none, { details: /election: no leader/ });
  observed.cancel();
  for (const ID of ids) await client.unary(lease, "LeaseRevoke", { ID });
}

async function deadlines(client: GrpcJs): Promise<void> {
  // Nobody unlocks this: the client's deadline ends the call, on both sides.
  const { ID } = await client.unary<{ ID: string }>(lease, "LeaseGrant", { TTL: 60 });
  const name = bytes("grpc-deadline");
  await client.unary("v3lockpb.Lock", "Lock", { name, lease: ID });
  const other = await client.unary<{ ID: string }>(lease, "LeaseGrant", { TTL: 60 });
  const request = { name, lease: other.ID };
  const late = client.unary("v3lockpb.Lock", "Lock", request, { deadline: Date.now() + 200 });
  await rejects(late, { code: status.DEADLINE_EXCEEDED });
  await eventually("who has given up stands in the queue no more", async () => {
    const range = { range_end: bytes("grpc-deadline0"), count_only: true };
    return (await client.range("grpc-deadline/", range)).count === "1";
  });
  await client.unary(lease, "LeaseRevoke", { ID });
  await client.unary(lease, "LeaseRevoke", { ID: other.ID });
}

async function manyAtOnce(client: GrpcJs): Promise<void> {
  const puts = Array.from({ length: 500 }, (_, at) => client.put(`grpc/many/${at}`, "x"));
  const revisions = (await Promise.all(puts)).map(({ header }: { header: Header }) =>
    Number(header.revision),
  );
  equal(new Set(revisions).size, 500);
  const range = { range_end: bytes("grpc/many0"), count_only: true };
  equal((await client.range("grpc/many/", range)).count, "500");
  const large = Buffer.alloc(1_000_000, "v");
  await client.put("grpc/large", large);
  deepEqual((await client.range("grpc/large")).kvs[0]!.value, large);
  const larger = client.put("grpc/large", Buffer.alloc(1_600_000));
  await rejects(larger, { details: /request is too large/ });
}

/** Neither pings nor a client's wish for compressed answers change anything. */
async function pings(client: GrpcJs): Promise<void> {
  const stream = client.duplex(watch, "Watch");
  const messages = new Messages<WatchReply>(stream);
  stream.write({ create_request: { key: bytes("grpc/pings") } });
  equal((await messages.next()).created, true);
  await client.put("grpc/pings", "x");
  equal((await messages.next()).events.length, 1);
  messages.cancel();
}

/** etcd is built without gzip: both say so by the status that gRPC has for it. */
async function compressed(client: GrpcJs): Promise<void> {
  const put = client.put("grpc/gzip", "x");
  await rejects(put, { code: status.UNIMPLEMENTED });
}

async function others(client: GrpcJs): Promise<void> {
  const health = await client.unary<{ status: string }>("grpc.health.v1.Health", "Check", {});
  equal(health.status, "SERVING");
  const { members } = await client.unary<{ members: { clientURLs: string[] }[] }>(
    "etcdserverpb.Cluster",
    "MemberList",
    {},
  );
  equal(members.length, 3);
  const blobs = new Messages<{ remaining_bytes: string; blob: Buffer }>(
    client.readable("etcdserverpb.Maintenance", "Snapshot", {}),
  );
  let size = 0;
  let remaining = 1n;
  while (remaining > 0n || size % 512 !== 32) {
    const message = await blobs.next();
    size += message.blob.length;
    remaining = BigInt(message.remaining_bytes);
  }
  await rejects(blobs.next(), { message: "ended" });
  client.metadata.set("hasleader", "true");
  await client.put("grpc/hasleader", "x");
  client.metadata.remove("hasleader");
}

async function alone(client: GrpcJs): Promise<void> {
  const { revision } = (await client.put("grpc/alone", "1")).header;
  const { header } = await client.put("grpc/alone", "2");
  await client.unary(kv, "Compact", { revision: header.revision });
  const old = client.range("grpc/alone", { revision });
  await rejects(old, { code: status.OUT_OF_RANGE, details: /has been compacted/ });
  const stream = client.duplex(watch, "Watch");
  const messages = new Messages<WatchReply>(stream);
  stream.write({ create_request: { key: bytes("grpc/alone"), start_revision: revision } });
  equal((await messages.next()).created, true);
  const end = await messages.next();
  deepEqual([end.canceled, end.compact_revision], [true, header.revision]);
  messages.cancel();
}

async function outlives(cluster: Cluster, doomed: string): Promise<() => Promise<void>> {
  const client = new GrpcJs(doomed);
  const stream = client.duplex(watch, "Watch");
  const watcher = new Messages<WatchReply>(stream);
  stream.write({ create_request: { key: bytes("grpc/outlives") } });
  equal((await watcher.next()).created, true);
  await client.put("grpc/outlives", "1");
  const seen = await watcher.next();
  return async () => {
    await rejects(watcher.next(), { code: status.UNAVAILABLE });
    client.close();
    const other = new GrpcJs(cluster.find((address) => address !== doomed)!);
    await eventually("it is written elsewhere", () =>
      other.put("grpc/outlives", "2").then(
        () => true,
        () => false,
      ),
    );
    const again = other.duplex(watch, "Watch");
    const rest = new Messages<WatchReply>(again);
    const next = BigInt(seen.header.revision) + 1n;
    again.write({
      create_request: { key: bytes("grpc/outlives"), start_revision: next.toString() },
    });
    equal((await rest.next()).created, true);
    equal((await rest.next()).events[0]!.kv.value.toString(), "2");
    rest.cancel();
    other.close();
  };
}

async function asAl(client: GrpcJs): Promise<void> {
  const login = { name: "al", password: accounts.al };
  const path = ["etcdserverpb.Auth", "Authenticate"] as const;
  const { token } = await client.unary<{ token: string }>(...path, login);
  client.metadata.set("token", token);
  await client.put("al/grpc", "x");
  const refused = client.put("grpc", "x");
  await rejects(refused, { code: status.PERMISSION_DENIED, details: /permission denied/ });
  const stream = client.duplex(watch, "Watch");
  const messages = new Messages<WatchReply>(stream);
  stream.write({ create_request: { key: bytes("grpc") } });
  const answer = await messages.next();
  deepEqual([answer.created, answer.canceled, answer.watch_id], [true, true, "-1"]);
  match(answer.cancel_reason, /permission denied/);
  messages.cancel();
  client.metadata.set("token", `${token}x`);
  const wrong = client.range("al/grpc");
  await rejects(wrong, { code: status.UNAUTHENTICATED, details: /invalid auth token/ });
}

async function auth(cluster: Cluster): Promise<void> {
  const client = new GrpcJs(cluster[1]!);
  const none = client.range("al/k");
  await rejects(none, { code: status.INVALID_ARGUMENT, details: /user name is empty/ });
  await asAl(client);
  client.close();
}

function ownOf({ authority, certificate, key }: SecureServer): ChannelCredentials {
  return credentials.createSsl(
    readFileSync(authority),
    readFileSync(key),
    readFileSync(certificate),
  );
}

async function tls(secure: SecureServer): Promise<void> {
  const client = new GrpcJs(secure.address, ownOf(secure));
  await client.put("grpc/tls", "x");
  equal((await client.range("grpc/tls")).kvs[0]!.value.toString(), "x");
  client.close();
  const root = readFileSync(secure.authority);
  for (const others of [credentials.createSsl(root), credentials.createInsecure()]) {
    const stranger = new GrpcJs(secure.address, others);
    await rejects(stranger.put("grpc/tls", "y"), { code: status.UNAVAILABLE });
    stranger.close();
  }
}

async function authByTls(secure: SecureServer): Promise<void> {
  const client = new GrpcJs(secure.address, ownOf(secure));
  await asAl(client);
  client.close();
}

export const grpcJs: ClientSuite = {
  name: "grpc-js",
  missing: null,
  cases: {
    "keys, ranges, nested transactions": withChannel(keys),
    "watchers on one stream, progress, the end of a call": withChannel(watching),
    "leases: kept alive, half closed, ended": withChannel(leases),
    "the services Lock and Election": withChannel(lockAndElection),
    "a deadline ends a call that waits": withChannel(deadlines),
    "five hundred calls at once, and large messages": withChannel(manyAtOnce),
    "keep-alive pings": withChannel(pings, {
      "grpc.keepalive_time_ms": 10_000,
      "grpc.keepalive_permit_without_calls": 1,
    }),
    "compressed requests": withChannel(compressed, { "grpc.default_compression_algorithm": 2 }),
    "health, members, snapshot, hasleader": withChannel(others),
  },
  alone: withChannel(alone),
  outlives,
  auth,
  tls,
  authByTls,
  close: () => Promise.resolve(),
};
