// Calls through the gateway over real HTTP connections, with a handler that the test drives: what
// arrives there, what the client hears and when, and that nothing is kept of a call that has ended.
import { deepEqual, equal, match } from "node:assert/strict";
import { once } from "node:events";
import http from "node:http";
import type { IncomingMessage } from "node:http";
import { text } from "node:stream/consumers";
import { after, before, beforeEach, test } from "node:test";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { GrpcCode, ReplyBytes } from "@quorate/grpc";
import type { GrpcHandler } from "@quorate/grpc";
import { etcd } from "@quorate/proto";
import { Release } from "../../etcd/release.ts";
import type { GatewayCall } from "./call.ts";
import { Gateway } from "./gateway.ts";

const messageBytesMax = 10_000;
const Method = { Range: 1, Watch: 2, Snapshot: 3 } as const;
const methods = new Map([
  ["/etcdserverpb.KV/Range", Method.Range],
  ["/etcdserverpb.Watch/Watch", Method.Watch],
  ["/etcdserverpb.Maintenance/Snapshot", Method.Snapshot],
]);

interface Arrived {
  readonly method: number;
  readonly message: Uint8Array;
  readonly call: GatewayCall;
}

/** Keeps what arrives; the test answers. */
class Desk implements GrpcHandler {
  readonly arrived: Arrived[] = [];
  #waiting: ((one: Arrived) => void)[] = [];

  onMessage(method: number, message: Uint8Array, sink: unknown): void {
    const one = { method, message, call: sink as GatewayCall };
    this.arrived.push(one);
    this.#waiting.shift()?.(one);
  }

  next(): Promise<Arrived> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }
}

let desk: Desk;
let gateway: Gateway;
let replyBytes: ReplyBytes;
let port: number;
const handled: [number, GrpcCode][] = [];
const server = http.createServer((request, response) =>
  gateway.handle(request.url ?? "", request, response),
);

before(async () => {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  ({ port } = server.address() as { port: number });
});
beforeEach(() => begin(Release.V34));
after(() => {
  server.closeAllConnections();
  server.close();
});

function begin(release: Release): void {
  desk = new Desk();
  handled.length = 0;
  const onHandled = (method: number, code: GrpcCode): void => void handled.push([method, code]);
  replyBytes = new ReplyBytes(1000);
  gateway = new Gateway({
    handler: desk,
    methods,
    messageBytesMax,
    release,
    onHandled,
    replyBytes,
  });
}

function post(path: string, headers: http.OutgoingHttpHeaders = {}): http.ClientRequest {
  return http.request({ port, path, method: "POST", headers, agent: false });
}

async function until(what: () => boolean): Promise<void> {
  while (!what()) await new Promise((resolve) => setTimeout(resolve, 2));
}

async function answerTo(request: http.ClientRequest): Promise<IncomingMessage> {
  return (await once(request, "response"))[0] as IncomingMessage;
}

async function whole(request: http.ClientRequest): Promise<[number, string]> {
  const response = await answerTo(request);
  return [response.statusCode!, await text(response)];
}

function watchResponse(watchId: bigint): Uint8Array {
  return toBinary(etcd.WatchResponseSchema, create(etcd.WatchResponseSchema, { watchId }));
}

test("a call: message, token, answer", async () => {
  const asked = post("/v3/kv/range", {
    Authorization: "Bearer tok.1",
    "Grpc-Metadata-HasLeader": "true",
  });
  asked.end(`{"key":"Zm9v"}`);
  const { method, message, call } = await desk.next();
  equal(method, Method.Range);
  equal(Buffer.from(fromBinary(etcd.RangeRequestSchema, message).key).toString(), "foo");
  deepEqual(call.metadata, { hasleader: "true", authorization: "tok.1" });
  call.reply(toBinary(etcd.RangeResponseSchema, create(etcd.RangeResponseSchema, { count: 2n })));
  const response = await answerTo(asked);
  equal(response.headers["content-type"], "application/json");
  equal(response.headers["grpc-metadata-content-type"], "application/grpc");
  equal(await text(response), `{"count":"2"}`);
  deepEqual(handled, [[Method.Range, GrpcCode.Ok]]);
});

test("an answer that its client does not read counts until the client has gone", async () => {
  const asked = post("/v3/kv/range");
  asked.end(`{"key":"Zm9v"}`);
  const { call } = await desk.next();
  const kvs = Array.from({ length: 4000 }, () => ({ key: new Uint8Array(1000) }));
  const large = create(etcd.RangeResponseSchema, { kvs });
  call.reply(toBinary(etcd.RangeResponseSchema, large));
  equal(replyBytes.full, true);
  const response = await answerTo(asked);
  response.destroy();
  asked.destroy();
  await until(() => replyBytes.taken === 0);
  equal(replyBytes.full, false);
});

test("no header stands for an identity (CVE-2018-16886)", async () => {
  const headers = {
    "X-Forwarded-Client-Cert": 'Subject="CN=root"',
    "X-SSL-Client-CN": "root",
    "Grpc-Metadata-Content-Type": "x",
    Cookie: "token=root",
  };
  post("/v3/kv/range", headers).end("{}");
  const { call } = await desk.next();
  deepEqual(call.metadata, {});
  call.finish();
});

test("a method that is not there yet, in the words of gRPC", async () => {
  const asked = post("/v3/auth/enable");
  asked.end("{}");
  const words = "unknown method AuthEnable for service etcdserverpb.Auth";
  deepEqual(await whole(asked), [501, `{"error":"${words}","message":"${words}","code":12}`]);
  deepEqual(desk.arrived, []);
});

test("a service's error has trailers where etcd's has them", async () => {
  for (const [release, te, expected] of [
    [Release.V34, undefined, "application/grpc"],
    [Release.V35, undefined, undefined],
    [Release.V35, "trailers", "application/grpc"],
  ] as const) {
    begin(release);
    const asked = post("/v3/kv/range", te === undefined ? {} : { TE: te });
    asked.end("{}");
    (await desk.next()).call.fail(GrpcCode.FailedPrecondition, "etcdserver: x");
    const response = await answerTo(asked);
    equal(response.statusCode, release === Release.V34 ? 412 : 400);
    await text(response);
    equal(response.trailers["grpc-trailer-content-type"], expected);
  }
});

test("paths and methods that are none", async () => {
  const rows = [
    [Release.V34, "/v3/nothing", "POST", 404, "Not Found\n"],
    [Release.V34, "/v3/kv/range", "PUT", 405, "Method Not Allowed\n"],
    [Release.V36, "/v3/nothing", "POST", 404, `{"code":5,"message":"Not Found"}`],
    [Release.V36, "/v3/kv/range", "PUT", 501, `{"code":12,"message":"Method Not Allowed"}`],
  ] as const;
  for (const [release, path, method, status, body] of rows) {
    begin(release);
    const asked = http.request({ port, path, method, agent: false });
    asked.end();
    deepEqual(await whole(asked), [status, body]);
  }
});

test("a stream: each message is a line and leaves at once; the body's end does not end it", async () => {
  const asked = post("/v3/watch");
  asked.write(`{"create_request":{"key":"Zm9v"}}{"progress_re`);
  const { call } = await desk.next();
  call.write(watchResponse(7n));
  const response = await answerTo(asked);
  response.setEncoding("utf8");
  equal(response.headers["transfer-encoding"], "chunked");
  equal((await once(response, "data"))[0], `{"result":{"watch_id":"7"}}\n`);
  const second = desk.next();
  asked.end(`quest":{}}`);
  equal((await second).call, call, "the next message of the same call");
  await new Promise<void>((resolve) => (call.onHalfClose = resolve));
  call.write(watchResponse(-1n));
  equal((await once(response, "data"))[0], `{"result":{"watch_id":"-1"}}\n`);
  call.fail(GrpcCode.Unavailable, "etcdserver: no leader");
  equal(
    await text(response),
    `{"error":{"grpc_code":14,"http_code":503,"message":"etcdserver: no leader","http_status":"Service Unavailable"}}`,
  );
  deepEqual(handled, [[Method.Watch, GrpcCode.Unavailable]]);
});

test("a stream that fails before its first message has the status too", async () => {
  const asked = post("/v3/maintenance/snapshot");
  asked.end("{}");
  (await desk.next()).call.fail(GrpcCode.PermissionDenied, "etcdserver: permission denied");
  const [status, body] = await whole(asked);
  equal(status, 403);
  match(body, /^\{"error":\{"grpc_code":7,"http_code":403,/);
});

test("what is wrong with the first message of a bidirectional call is unknown, as Go's client says", async () => {
  const asked = post("/v3/watch");
  asked.end("x");
  const [status, body] = await whole(asked);
  equal(status, 500);
  match(body, /"code":2\}$/);
  const snapshot = post("/v3/maintenance/snapshot");
  snapshot.end("{");
  deepEqual(await whole(snapshot), [
    400,
    `{"error":"unexpected EOF","message":"unexpected EOF","code":3}`,
  ]);
});

test("who reads slowly is not written to without end", async () => {
  const asked = post("/v3/watch");
  asked.end(`{"create_request":{}}`);
  const { call } = await desk.next();
  const message = toBinary(
    etcd.WatchResponseSchema,
    create(etcd.WatchResponseSchema, { cancelReason: "x".repeat(100_000) }),
  );
  let written = 0;
  const drained = new Promise<void>((resolve) => (call.onDrain = resolve));
  while (call.write(message)) written += 1;
  equal(call.needsDrain, true);
  const response = await answerTo(asked);
  let read = 0;
  response.on("data", (piece: Buffer) => (read += piece.length));
  await drained;
  equal(call.buffered, 0);
  call.finish();
  await once(response, "end");
  equal(read, (written + 1) * (100_000 + `{"result":{"cancel_reason":""}}\n`.length));
});

test("the service hears that the client has gone", async () => {
  const asked = post("/v3/watch");
  asked.end(`{"create_request":{}}`);
  const { call } = await desk.next();
  call.write(watchResponse(0n));
  const response = await answerTo(asked);
  const gone = new Promise<void>((resolve) => (call.onCancel = resolve));
  response.destroy();
  await gone;
  equal(call.write(watchResponse(1n)), true, "and may not know it yet");
  deepEqual(handled, [[Method.Watch, GrpcCode.Canceled]]);
});

test("deadlines", async () => {
  const rows: readonly (readonly [string, number, string])[] = [
    ["x", 400, "invalid grpc-timeout: x"],
    ["12", 400, "invalid grpc-timeout: 12"],
    ["1n", 504, "context deadline exceeded"],
    ["50m", 504, "context deadline exceeded"],
  ];
  for (const [timeout, status, words] of rows) {
    const asked = post("/v3/kv/range", { "Grpc-Timeout": timeout });
    asked.end("{}");
    const [code, body] = await whole(asked);
    equal(code, status);
    equal((JSON.parse(body) as { message: string }).message, words);
  }
  const last = desk.arrived.at(-1)!;
  equal(last.call.ended, true);
});

test("messages that are too large, and bodies", async () => {
  const asked = post("/v3/kv/range");
  asked.end(`{"key":"${"A".repeat(16_000)}"}`);
  const [status, body] = await whole(asked);
  equal(status, 429);
  match(body, /"grpc: received message larger than max \(12003 vs\. 10000\)"/);
  const endless = post("/v3/kv/range");
  endless.write(`{"key":"${"A".repeat(5 * messageBytesMax)}`);
  const response = await answerTo(endless);
  equal(response.statusCode, 429);
  equal(response.headers["connection"], "close");
  endless.on("error", () => undefined).destroy();
  equal(gateway.bytesGathered, 0);
  deepEqual(desk.arrived, []);
});

test("a stream that the gateway ends is over for its service too", async () => {
  const asked = post("/v3/watch");
  asked.write(`{"create_request":{}}`);
  const { call } = await desk.next();
  const over = new Promise<void>((resolve) => (call.onCancel = resolve));
  asked.write(`{"create_request":{"key":"${"A".repeat(16_000)}"}}`);
  await over;
  const [status, body] = await whole(asked);
  equal(status, 429);
  match(body, /^\{"error":\{"grpc_code":8,/);
  asked.on("error", () => undefined).destroy();
});

test("nothing is kept of a body whose sender goes away", async () => {
  const asked = post("/v3/kv/range");
  asked.on("error", () => undefined);
  asked.write(`{"key":"AAAA`);
  while (gateway.bytesGathered === 0) await new Promise(setImmediate);
  asked.destroy();
  while (gateway.bytesGathered !== 0) await new Promise(setImmediate);
  deepEqual(desk.arrived, []);
});
