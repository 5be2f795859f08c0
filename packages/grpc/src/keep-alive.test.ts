// Method: a server over real sockets and a client that says frame by frame what it is told to. Goal:
// grpc-go's rules of pings (A8, A9), as etcd's clients know them.
import { equal, ok } from "node:assert/strict";
import http2 from "node:http2";
import net from "node:net";
import type { AddressInfo } from "node:net";
import { after, test } from "node:test";
import { headerBlock } from "./testing/h2-client.ts";
import { Flag, frame, FrameType, RawClient, u32 } from "./testing/raw-client.ts";
import { frameMessage } from "./message-frame.ts";
import { GrpcServer } from "./server.ts";
import type { GrpcSink } from "./server.ts";
import { keepAliveDefaults } from "./keep-alive.ts";
import type { KeepAliveLimits } from "./keep-alive.ts";

const closers: (() => void)[] = [];
after(() => closers.forEach((close) => close()));

interface Served {
  readonly port: number;
  readonly grpc: GrpcServer;
  readonly sinks: GrpcSink[];
}

async function serve(limits: Partial<KeepAliveLimits>): Promise<Served> {
  const sinks: GrpcSink[] = [];
  const grpc = new GrpcServer({
    methods: new Map([["/t.T/Hang", 1]]),
    messageBytesMax: 1024,
    streamsPerConnectionMax: 100,
    headerBytesMax: 16_384,
    handler: { onMessage: (_method, _message, sink) => void sinks.push(sink) },
    limits: { keepAlive: { ...keepAliveDefaults, ...limits } },
  });
  const listener = net.createServer((socket) => grpc.accept(socket));
  await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve));
  closers.push(() => {
    grpc.destroy();
    listener.close();
  });
  return { port: (listener.address() as AddressInfo).port, grpc, sinks };
}

const ping = frame(FrameType.Ping, 0, 0, Buffer.alloc(8));
const isPong = (client: RawClient): number =>
  client.frames.filter(({ type, flags }) => type === FrameType.Ping && flags === Flag.Ack).length;

function call(stream: number): Buffer {
  const block = headerBlock("/t.T/Hang", "localhost");
  return Buffer.concat([
    frame(FrameType.Headers, Flag.EndHeaders, stream, block),
    frame(FrameType.Data, Flag.EndStream, stream, frameMessage(new Uint8Array(1))),
  ]);
}

async function connected(port: number): Promise<RawClient> {
  const client = await RawClient.connect(port);
  closers.push(() => client.destroy());
  return client;
}

async function until(what: () => boolean): Promise<void> {
  while (!what()) await new Promise((resolve) => setTimeout(resolve, 2));
}

const { NGHTTP2_ENHANCE_YOUR_CALM } = http2.constants;

test("the third ping too early ends the connection, with the words that clients look for", async () => {
  const { port, sinks } = await serve({ minTimeMs: 60_000 });
  const client = await connected(port);
  client.send(call(1));
  await until(() => sinks.length === 1);
  for (let pings = 1; pings <= 3; pings += 1) {
    client.send(ping);
    await client.until(() => isPong(client) === pings);
  }
  equal(client.closed, false, "one that is in time, and two strikes");
  client.send(ping);
  await client.until(() => false);
  const goAway = client.frames.find(({ type }) => type === FrameType.GoAway)!;
  equal(goAway.payload.readUInt32BE(4), NGHTTP2_ENHANCE_YOUR_CALM);
  equal(goAway.payload.subarray(8).toString(), "too_many_pings");
});

test("pings that keep the time are answered as long as a call is under way; without one they are not", async () => {
  const { port, sinks } = await serve({ minTimeMs: 1 });
  const client = await connected(port);
  client.send(call(1));
  await until(() => sinks.length === 1);
  for (let pings = 1; pings <= 20; pings += 1) {
    client.send(ping);
    await client.until(() => isPong(client) === pings);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  equal(client.closed, false);
  const idle = await connected(port);
  for (let pings = 0; pings < 4; pings += 1) {
    idle.send(ping);
    await idle.until(() => isPong(idle) === pings + 1);
  }
  await idle.until(() => false);
  equal(idle.goneWith, NGHTTP2_ENHANCE_YOUR_CALM);
});

test("whoever is sent something may ping about it, as gRPC's libraries do to measure a connection", async () => {
  const { port, sinks } = await serve({ minTimeMs: 60_000 });
  const client = await connected(port);
  client.send(call(1));
  await until(() => sinks.length === 1);
  for (let pings = 1; pings <= 10; pings += 1) {
    sinks[0]!.write(new Uint8Array(3));
    client.send(ping);
    await client.until(() => isPong(client) === pings);
  }
  equal(client.closed, false);
});

test("a large answer may be measured by a ping for each of its pieces", async () => {
  const { port, sinks } = await serve({ minTimeMs: 60_000 });
  const client = await connected(port);
  client.send(call(1));
  await until(() => sinks.length === 1);
  const pieceBytes = 60_000;
  const pieces = 20;
  sinks[0]!.reply(new Uint8Array(pieces * pieceBytes));
  const taken = (): number =>
    client.frames
      .filter(({ type }) => type === FrameType.Data)
      .reduce((sum, { payload }) => sum + payload.length, 0);
  for (let piece = 1; piece <= pieces; piece += 1) {
    await client.until(() => taken() >= piece * pieceBytes);
    client.send(ping);
    await client.until(() => isPong(client) === piece);
    const window = u32(pieceBytes);
    for (const stream of [0, 1]) client.send(frame(FrameType.WindowUpdate, 0, stream, window));
  }
  equal(client.closed, false);
});

test("a silent client is pinged, and let go when it does not answer; one that answers is not", async () => {
  const { port, grpc, sinks } = await serve({ intervalMs: 30, timeoutMs: 5000 });
  const deaf = await connected(port);
  deaf.send(call(1));
  await until(() => sinks.length === 1);
  await deaf.until(() => deaf.frames.some(({ type }) => type === FrameType.Ping));
  const asked = deaf.frames.find(({ type }) => type === FrameType.Ping)!;
  deaf.send(frame(FrameType.Ping, Flag.Ack, 0, asked.payload));
  const pings = (): number => deaf.frames.filter(({ type }) => type === FrameType.Ping).length;
  await deaf.until(() => pings() >= 2);
  equal(deaf.closed, false, "answered, and asked again");
  equal(grpc.connections, 1);
  const impatient = await serve({ intervalMs: 20, timeoutMs: 20 });
  const dead = await connected(impatient.port);
  dead.send(call(1));
  await dead.until(() => false);
  ok(
    dead.frames.some(({ type }) => type === FrameType.Ping),
    "it was asked",
  );
  await until(() => impatient.grpc.connections === 0);
});
