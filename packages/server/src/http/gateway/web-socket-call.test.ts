// Calls over real WebSockets, with a handler that the test drives: the service hears that its client has
// gone, or reads slowly; who sends pings and reads nothing loses its connection; nothing is kept.
import { deepEqual, equal, ok } from "node:assert/strict";
import { once } from "node:events";
import net from "node:net";
import { after, afterEach, before, beforeEach, describe, test } from "node:test";
import { create, toBinary } from "@bufbuild/protobuf";
import { GrpcCode, ReplyBytes } from "@quorate/grpc";
import type { GrpcHandler, GrpcSink } from "@quorate/grpc";
import { etcd } from "@quorate/proto";
import { Release } from "../../etcd/release.ts";
import { makeHttpServer } from "../http-server.ts";
import type { Upgrades } from "../http-server.ts";
import { CloseCode, Opcode } from "../websocket/frame-reader.ts";
import { closeFrame } from "../websocket/frame-writer.ts";
import { clientFrame } from "../websocket/testing/client-frame.ts";
import { Gateway } from "./gateway.ts";

/** Keeps the call; the test answers. */
class Desk implements GrpcHandler {
  #waiting: ((sink: GrpcSink) => void)[] = [];

  onMessage(_method: number, _message: Uint8Array, sink: GrpcSink): void {
    this.#waiting.shift()?.(sink);
  }

  next(): Promise<GrpcSink> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }
}

let desk: Desk;
let gateway: Gateway;
let socket: net.Socket;
let handled: GrpcCode[];
const upgrades: Upgrades = {
  upgrades: () => true,
  upgrade: (request, connection, head) => gateway.upgrade("/v3/watch", request, connection, head),
};
const http = makeHttpServer(() => undefined, undefined, upgrades);
const listener = net.createServer((connection) => void http.emit("connection", connection));

// All test files share a process: hooks outside of this would be run for every test of all of them.
describe("a call over a WebSocket", () => {
  before(async () => {
    listener.listen(0, "127.0.0.1");
    await once(listener, "listening");
  });

  after(() => listener.close());

  beforeEach(async () => {
    desk = new Desk();
    const own: GrpcCode[] = [];
    handled = own;
    gateway = new Gateway({
      handler: desk,
      methods: new Map([["/etcdserverpb.Watch/Watch", 1]]),
      messageBytesMax: 10_000,
      release: Release.V35,
      onHandled: (_method, code) => void own.push(code),
      replyBytes: new ReplyBytes(1_000_000),
    });
    socket = net.connect((listener.address() as net.AddressInfo).port, "127.0.0.1");
    socket.on("error", () => undefined);
    const lines = [
      "GET /v3/watch HTTP/1.1",
      "Host: here",
      "Connection: Upgrade",
      "Upgrade: websocket",
      "Sec-WebSocket-Version: 13",
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    ];
    // The first frame comes with the handshake.
    const first = clientFrame(Opcode.Text, Buffer.from("{}"));
    socket.write(Buffer.concat([Buffer.from(`${lines.join("\r\n")}\r\n\r\n`), first]));
  });

  afterEach(() => {
    socket.destroy();
    equal(gateway.bytesGathered, 0);
  });

  function cancelled(sink: GrpcSink): Promise<void> {
    return new Promise((resolve) => (sink.onCancel = resolve));
  }

  function response(reasonBytes: number): Uint8Array {
    const fields = { cancelReason: "x".repeat(reasonBytes) };
    return toBinary(etcd.WatchResponseSchema, create(etcd.WatchResponseSchema, fields));
  }

  test("a client that closes, or is gone, has cancelled its call", async () => {
    const sink = await desk.next();
    const over = cancelled(sink);
    socket.write(clientFrame(Opcode.Close, Buffer.from([3, 232])));
    await over;
    deepEqual(handled, [GrpcCode.Canceled]);
    sink.write(response(1));
    sink.finish();
    deepEqual(handled, [GrpcCode.Canceled]);
  });

  test("a client whose connection breaks within a message is gone", async () => {
    const over = cancelled(await desk.next());
    const part = clientFrame(Opcode.Text, Buffer.from(`{"create_request":{"key":"`));
    const frame = clientFrame(Opcode.Text, Buffer.alloc(1000));
    socket.write(Buffer.concat([part, frame.subarray(0, 500)]));
    socket.end();
    await over;
    deepEqual(handled, [GrpcCode.Canceled]);
  });

  test("a service hears that its client reads slowly, and when it has read", async () => {
    const sink = await desk.next();
    socket.pause();
    const message = response(1_000_000);
    while (sink.write(message)) ok(!sink.needsDrain);
    ok(sink.needsDrain && sink.buffered > 0);
    const drained = new Promise<void>((resolve) => (sink.onDrain = resolve));
    socket.resume();
    await drained;
    equal(sink.buffered, 0);
    sink.finish();
    await once(socket, "close");
    deepEqual(handled, [GrpcCode.Ok]);
  });

  test("a client that sends pings and reads nothing is cut off", async () => {
    const sink = await desk.next();
    const over = cancelled(sink);
    socket.pause();
    // What is in the way of the answers fills all buffers between the two.
    while (sink.write(response(1_000_000)));
    socket.write(clientFrame(Opcode.Ping, Buffer.alloc(125)));
    await over;
    deepEqual(handled, [GrpcCode.Canceled]);
  });

  test("the end of the call is said, and ends the connection", async () => {
    const sink = await desk.next();
    const chunks: Buffer[] = [];
    socket.on("data", (chunk: Buffer) => chunks.push(chunk));
    sink.fail(GrpcCode.Unavailable, "etcdserver: no leader");
    await once(socket, "close");
    const bytes = Buffer.concat(chunks);
    ok(bytes.includes(`"message":"etcdserver: no leader"`));
    deepEqual(bytes.subarray(-4), closeFrame(CloseCode.Normal));
    deepEqual(handled, [GrpcCode.Unavailable]);
  });
});
