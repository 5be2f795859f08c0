// One server, one client over a real socket: status, texts, limits and cancellation of unary calls.
import assert from "node:assert/strict";
import http2 from "node:http2";
import net from "node:net";
import type { AddressInfo } from "node:net";
import { after, before, test } from "node:test";
import { GrpcClient } from "./client.ts";
import { frameMessage } from "./message-frame.ts";
import { GrpcServer } from "./server.ts";
import type { GrpcSink } from "./server.ts";
import { decodeGrpcMessage, encodeGrpcMessage, GrpcCode } from "./status.ts";

const bytesMax = 100_000;
let listener: net.Server;
let grpc: GrpcServer;
let client: GrpcClient;
let lastSink: GrpcSink | null = null;
let cancelled = 0;

before(async () => {
  grpc = new GrpcServer({
    methods: new Map([
      ["/test.Echo/Echo", 1],
      ["/test.Echo/Fail", 2],
      ["/test.Echo/Hang", 3],
      ["/test.Echo/Twice", 4],
    ]),
    messageBytesMax: bytesMax,
    streamsPerConnectionMax: 100,
    headerBytesMax: 16_384,
    handler: {
      onMessage(method, message, sink) {
        lastSink = sink;
        if (method === 1) {
          sink.reply(message);
        } else if (method === 2) {
          sink.fail(GrpcCode.OutOfRange, "etcdserver: späte Prüfung 100 %", { missing: "a,b" });
        } else if (method === 4) {
          sink.write(message);
          sink.write(message);
          sink.finish();
        } else {
          sink.onCancel = () => {
            cancelled += 1;
          };
        }
      },
    },
  });
  listener = net.createServer((socket) => grpc.accept(socket));
  await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve));
  client = new GrpcClient(`127.0.0.1:${(listener.address() as AddressInfo).port}`);
});

after(() => {
  client.close();
  grpc.destroy();
  listener.close();
});

test("a unary call answers the handler's bytes with status OK", async () => {
  for (const size of [0, 1, 70_000]) {
    const request = new Uint8Array(size).fill(7);
    const result = await client.call("/test.Echo/Echo", request, 5000);
    assert.equal(result.code, GrpcCode.Ok);
    assert.deepEqual(new Uint8Array(result.message!), request);
  }
});

test("a failure carries code, UTF-8 text and trailers", async () => {
  const result = await client.call("/test.Echo/Fail", new Uint8Array(3), 5000);
  assert.equal(result.code, GrpcCode.OutOfRange);
  assert.equal(result.text, "etcdserver: späte Prüfung 100 %");
  assert.equal(result.trailers["missing"], "a,b");
  assert.equal(result.message, null);
});

test("an unknown method is Unimplemented with grpc-go's words", async () => {
  const result = await client.call("/etcdserverpb.KV/Nothing", new Uint8Array(0), 5000);
  assert.equal(result.code, GrpcCode.Unimplemented);
  assert.equal(result.text, "unknown method Nothing for service etcdserverpb.KV");
});

test("a message above the limit is ResourceExhausted and the connection lives on", async () => {
  const tooLarge = await client.call("/test.Echo/Echo", new Uint8Array(bytesMax + 1), 5000);
  assert.equal(tooLarge.code, GrpcCode.ResourceExhausted);
  const next = await client.call("/test.Echo/Echo", new Uint8Array(1), 5000);
  assert.equal(next.code, GrpcCode.Ok);
});

test("a call that ends by its next message, not by its handler, is over for the handler too", async () => {
  const good = frameMessage(new Uint8Array(1));
  const tooLarge = Buffer.of(0, 0x7f, 0xff, 0xff, 0xff);
  const compressed = Buffer.of(1, 0, 0, 0, 0);
  const cutOff = Buffer.of(0, 0, 0, 0, 9, 1);
  for (const [bad, ends, code] of [
    [tooLarge, false, GrpcCode.ResourceExhausted],
    [compressed, false, GrpcCode.Unimplemented],
    [cutOff, true, GrpcCode.Internal],
  ] as const) {
    const before = cancelled;
    const session = http2.connect(`http://${client.address}`);
    const stream = session.request({
      ":method": "POST",
      ":path": "/test.Echo/Hang",
      "content-type": "application/grpc",
    });
    const status = new Promise((resolve) => {
      stream.on("response", (headers) => resolve(headers["grpc-status"]));
    });
    stream.write(Buffer.concat([good, bad]));
    if (ends) stream.end();
    assert.equal(await status, String(code));
    assert.equal(cancelled, before + 1);
    session.destroy();
  }
});

test("an answer ends its stream, also of a client that has not said all it will say", async () => {
  for (const [path, status] of [
    ["/test.Echo/Echo", GrpcCode.Ok],
    ["/test.Echo/Twice", GrpcCode.Ok],
    ["/test.Echo/Fail", GrpcCode.OutOfRange],
    ["/test.Echo/Nothing", GrpcCode.Unimplemented],
  ] as const) {
    const session = http2.connect(`http://${client.address}`);
    const stream = session.request({
      ":method": "POST",
      ":path": path,
      "content-type": "application/grpc",
    });
    let told: unknown = null;
    stream.on("response", (headers) => (told ??= headers["grpc-status"]));
    stream.on("trailers", (trailers) => (told ??= trailers["grpc-status"]));
    stream.resume();
    stream.write(frameMessage(new Uint8Array(50_000)));
    await new Promise((resolve) => stream.on("close", resolve));
    assert.equal(told, String(status), path);
    session.destroy();
  }
});

test("a client that gives up cancels the call at the server", async () => {
  const before = cancelled;
  const result = await client.call("/test.Echo/Hang", new Uint8Array(1), 50);
  assert.equal(result.code, GrpcCode.DeadlineExceeded);
  await client.call("/test.Echo/Echo", new Uint8Array(1), 5000);
  assert.equal(cancelled, before + 1);
  lastSink!.reply(new Uint8Array(1));
});

test("a call whose time is up ends, and what its handler says later is not heard", async () => {
  const before = cancelled;
  const { status, message } = await endOf("/test.Echo/Hang", { "grpc-timeout": "30m" });
  assert.equal(status, String(GrpcCode.DeadlineExceeded));
  assert.equal(message, "context deadline exceeded");
  assert.equal(cancelled, before + 1);
  lastSink!.reply(new Uint8Array(1));
});

test("a call without time left is not begun, one with time is as any other", async () => {
  lastSink = null;
  for (const timeout of ["0S", "-5S", "900u", "1n"]) {
    const { status } = await endOf("/test.Echo/Echo", { "grpc-timeout": timeout });
    assert.equal(status, String(GrpcCode.DeadlineExceeded), timeout);
    assert.equal(lastSink, null);
  }
  for (const timeout of ["10S", "1H", "99999999H"]) {
    const { status } = await endOf("/test.Echo/Echo", { "grpc-timeout": timeout });
    assert.equal(status, String(GrpcCode.Ok), timeout);
  }
});

test("a timeout that is not to be understood resets the stream", async () => {
  for (const timeout of ["x", "10", "1.5S", "123456789S"]) {
    const { status, reset } = await endOf("/test.Echo/Echo", { "grpc-timeout": timeout });
    assert.equal(status, undefined);
    assert.equal(reset, http2.constants.NGHTTP2_PROTOCOL_ERROR);
  }
});

/** How a call of one message ends for a client that has no clock of its own. */
async function endOf(
  path: string,
  headers: http2.OutgoingHttpHeaders,
): Promise<{ readonly status: unknown; readonly message: unknown; readonly reset: number }> {
  const session = http2.connect(`http://${client.address}`);
  const stream = session.request({
    ":method": "POST",
    ":path": path,
    "content-type": "application/grpc",
    ...headers,
  });
  let told: http2.IncomingHttpHeaders = {};
  stream.on("response", (response) => (told = { ...told, ...response }));
  stream.on("trailers", (trailers) => (told = { ...told, ...trailers }));
  stream.on("error", () => undefined);
  stream.resume();
  stream.end(frameMessage(new Uint8Array(3)));
  await new Promise((resolve) => stream.on("close", resolve));
  session.destroy();
  return { status: told["grpc-status"], message: told["grpc-message"], reset: stream.rstCode ?? 0 };
}

test("a refused connect is Unavailable", async () => {
  const nobody = new GrpcClient("127.0.0.1:1");
  const result = await nobody.call("/test.Echo/Echo", new Uint8Array(1), 5000);
  assert.equal(result.code, GrpcCode.Unavailable);
  nobody.close();
});

test("what is not gRPC gets 415", async () => {
  const session = http2.connect(`http://${client.address}`);
  const stream = session.request({ ":method": "GET", ":path": "/" });
  const status = await new Promise((resolve) => {
    stream.on("response", (headers) => resolve(headers[":status"]));
  });
  assert.equal(status, 415);
  session.destroy();
});

test("grpc-message round-trips any text", () => {
  for (const text of ["", "plain", "100 %", "späte\nPrüfung", "%41 stays", "日本"]) {
    assert.equal(decodeGrpcMessage(encodeGrpcMessage(text)), text);
  }
});
