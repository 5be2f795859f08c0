// A member of which more is asked than it takes, as a process. Goal: whoever is too much hears so at once in
// etcd's words and nothing of it is done; leases, health and whoever waits already go on; bounds are those
// of the flags.
import { deepEqual, equal, match, ok } from "node:assert/strict";
import http2 from "node:http2";
import net from "node:net";
import { test } from "node:test";
import { create, toBinary } from "@bufbuild/protobuf";
import { GrpcClient, GrpcCode } from "@quorate/grpc";
import type { GrpcResult } from "@quorate/grpc";
import { encodeRangeRequest, RangeRequest } from "@quorate/kv";
import { etcd } from "@quorate/proto";
import { withCluster } from "./cluster.ts";
import { eventually } from "./eventually.ts";
import { getAll, put } from "./kv-calls.ts";

const flags = [
  "--max-requests=64",
  "--max-connections-from-loopback=12",
  "--max-range-bytes-in-flight=100000",
];
const floods = 3;

/** It is not closed before it has asked something. */
function canConnect(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect(port, host, () => {
      socket.write("GET /version HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    });
    socket.on("data", () => resolve(true));
    socket.on("error", () => resolve(false));
    socket.on("close", () => resolve(false));
  });
}

function call(client: GrpcClient, method: string, request: Uint8Array): Promise<GrpcResult> {
  return client.call(`/etcdserverpb.${method}`, request, 20_000);
}

test("floods of puts: refused at once, but nothing that leases and health stand on", async () => {
  await withCluster({ size: 1, flags }, async ({ members }) => {
    const { address, client: quiet } = members[0]!;
    const flood = new GrpcClient(address);
    const counts = { done: 0, refused: 0 };
    const health: string[] = [];
    for (let n = 1; n <= floods; n += 1) {
      const grant = create(etcd.LeaseGrantRequestSchema, { TTL: 60n, ID: BigInt(n) });
      const granted = toBinary(etcd.LeaseGrantRequestSchema, grant);
      equal((await call(quiet, "Lease/LeaseGrant", granted)).code, GrpcCode.Ok);
      const puts = Array.from({ length: 400 }, (_, at) => put(flood, `k${n}/${at}`, "v"));
      const revoke = create(etcd.LeaseRevokeRequestSchema, { ID: BigInt(n) });
      const revoked = toBinary(etcd.LeaseRevokeRequestSchema, revoke);
      const [ended, answer] = await Promise.all([
        call(quiet, "Lease/LeaseRevoke", revoked),
        fetch(`http://${address}/health`).then((response) => response.text()),
      ]);
      deepEqual([ended.code, ended.text], [GrpcCode.Ok, ""]);
      health.push(answer);
      for (const { code, text } of await Promise.all(puts)) {
        if (code === GrpcCode.Ok) {
          counts.done += 1;
          continue;
        }
        deepEqual([code, text], [GrpcCode.ResourceExhausted, "etcdserver: too many requests"]);
        counts.refused += 1;
      }
    }
    for (const answer of health) match(answer, /"health":"true"/);
    ok(counts.refused > 0 && counts.done >= floods, JSON.stringify(counts));
    const found = await getAll(quiet, "k");
    ok(typeof found !== "string");
    equal(found.size, counts.done, "what was refused was not done");
    flood.close();
  });
});

test("one connection more than an address may have ends; a client that takes no answers stops reads", async () => {
  await withCluster({ size: 1, flags }, async ({ members }) => {
    const { address, client } = members[0]!;
    equal((await put(client, "large", "x".repeat(60_000))).code, GrpcCode.Ok);
    const [host, port] = address.split(":");
    const held: net.Socket[] = [];
    const ended = new Set<net.Socket>();
    for (let n = 0; n < 20; n += 1) {
      const socket = net.connect(Number(port), host);
      socket.on("error", () => undefined);
      socket.on("close", () => ended.add(socket));
      socket.resume();
      held.push(socket);
    }
    await eventually("eight or more are closed", () => Promise.resolve(ended.size >= 8));
    equal((await put(client, "a", "b")).code, GrpcCode.Ok);
    for (const socket of held) socket.destroy();
    await eventually("there is room again", () => canConnect(host!, Number(port)));
    // A window of nothing: two answers fill the room that answers have.
    const stuck = http2.connect(`http://${address}`, { settings: { initialWindowSize: 0 } });
    stuck.on("error", () => undefined);
    const large = encodeRangeRequest(new RangeRequest({ key: Buffer.from("large") }));
    for (let n = 0; n < 2; n += 1) {
      const stream = stuck.request({
        ":method": "POST",
        ":path": "/etcdserverpb.KV/Range",
        "content-type": "application/grpc",
      });
      stream.on("error", () => undefined);
      stream.end(Buffer.concat([Buffer.of(0, 0, 0, 0, large.length), large]));
    }
    const read = (): Promise<GrpcResult> =>
      call(client, "KV/Range", encodeRangeRequest(new RangeRequest({ key: Buffer.from("a") })));
    await eventually("reads are refused", async () => {
      const { code, text } = await read();
      return code === GrpcCode.ResourceExhausted && text === "etcdserver: too many requests";
    });
    equal((await put(client, "a", "c")).code, GrpcCode.Ok, "writes go on");
    stuck.destroy();
    await eventually("reads are answered", async () => (await read()).code === GrpcCode.Ok);
  });
});
