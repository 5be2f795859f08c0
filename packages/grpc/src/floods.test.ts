// Method: one server, a client that floods it by frames, and another one that calls meanwhile. Goal: each
// flood of reliability.md §6.2 costs its sender its connection or a bounded amount of this process, and
// the other one is served. What nghttp2 bounds by itself is tried here all the same.
import { deepEqual, equal, ok } from "node:assert/strict";
import http2 from "node:http2";
import net from "node:net";
import type { AddressInfo } from "node:net";
import { after, before, test } from "node:test";
import { GrpcClient } from "./client.ts";
import { frameMessage } from "./message-frame.ts";
import { ReplyBytes } from "./reply-bytes.ts";
import { GrpcServer } from "./server.ts";
import type { GrpcSink } from "./server.ts";
import { GrpcCode } from "./status.ts";
import { headerBlock } from "./testing/h2-client.ts";
import { Flag, frame, FrameType, RawClient, setting, u32 } from "./testing/raw-client.ts";

const streamsPerConnectionMax = 50;
const streamsMax = 60;
const replyBytesMax = 1_000_000;
const replyBytes = new ReplyBytes(replyBytesMax);
let listener: net.Server;
let grpc: GrpcServer;
let other: GrpcClient;
let port = 0;
let messages = 0;
let callsMost = 0;
const hanging = new Set<GrpcSink>();
const clients: RawClient[] = [];

before(async () => {
  grpc = new GrpcServer({
    methods: new Map([
      ["/t.T/Echo", 1],
      ["/t.T/Hang", 2],
      ["/t.T/Large", 3],
    ]),
    messageBytesMax: 2_000_000,
    streamsPerConnectionMax,
    headerBytesMax: 16_384,
    limits: { streamsMax, busyText: "etcdserver: too many requests", replyBytes },
    handler: {
      onMessage(method, message, sink) {
        messages += 1;
        callsMost = Math.max(callsMost, grpc.calls);
        if (method === 1) sink.reply(message);
        else if (method === 3) sink.reply(new Uint8Array(500_000));
        else {
          hanging.add(sink);
          sink.onCancel = () => hanging.delete(sink);
        }
      },
    },
  });
  listener = net.createServer((socket) => grpc.accept(socket));
  await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve));
  port = (listener.address() as AddressInfo).port;
  other = new GrpcClient(`127.0.0.1:${port}`);
});

after(() => {
  other.close();
  for (const client of clients) client.destroy();
  grpc.destroy();
  listener.close();
});

async function connect(settings?: Uint8Array): Promise<RawClient> {
  const client = await RawClient.connect(port, settings);
  clients.push(client);
  return client;
}

async function until(what: () => boolean): Promise<void> {
  while (!what()) await new Promise((resolve) => setTimeout(resolve, 2));
}

async function othersAreServed(): Promise<void> {
  const { code } = await other.call("/t.T/Echo", new Uint8Array(3), 20_000);
  equal(code, GrpcCode.Ok);
}

const headers = (path: string, stream: number, flags: number = Flag.EndHeaders): Buffer =>
  frame(FrameType.Headers, flags, stream, headerBlock(path, "localhost"));
const data = (stream: number, message: Uint8Array, flags: number = Flag.EndStream): Buffer =>
  frame(FrameType.Data, flags, stream, frameMessage(message));
const call = (path: string, stream: number): Buffer =>
  Buffer.concat([headers(path, stream), data(stream, new Uint8Array(1))]);

function* repeat(count: number, make: (n: number) => Uint8Array): Generator<Uint8Array> {
  for (let n = 0; n < count; n += 1) yield make(n);
}

test("rapid reset: streams that are opened and reset end their connection, and never pile up", async () => {
  const client = await connect();
  const cancel = u32(http2.constants.NGHTTP2_CANCEL);
  callsMost = 0;
  const sent = await client.flood(
    repeat(100_000, (n) => {
      const stream = 2 * n + 1;
      const reset = frame(FrameType.RstStream, 0, stream, cancel);
      return Buffer.concat([call("/t.T/Hang", stream), reset]);
    }),
  );
  await othersAreServed();
  await client.until(() => false);
  equal(client.closed, true);
  ok(sent < 100_000, `${sent} were sent`);
  ok(callsMost <= streamsPerConnectionMax + 1, `${callsMost} at once`);
  await until(() => grpc.calls === 0 && hanging.size === 0);
});

test("streams of a connection and of all: past each a call is refused, and its connection goes on", async () => {
  const first = await connect();
  for (let n = 0; n <= streamsPerConnectionMax; n += 1) first.send(call("/t.T/Hang", 2 * n + 1));
  await first.until(() => first.frames.some(({ type }) => type === FrameType.RstStream));
  const refused = first.frames.find(({ type }) => type === FrameType.RstStream)!;
  equal(refused.stream, 2 * streamsPerConnectionMax + 1);
  equal(refused.payload.readUInt32BE(), http2.constants.NGHTTP2_REFUSED_STREAM);
  const second = await connect();
  for (let n = 0; n < streamsMax - streamsPerConnectionMax; n += 1) {
    second.send(call("/t.T/Hang", 2 * n + 1));
  }
  await until(() => grpc.calls === streamsMax);
  const { code, text } = await other.call("/t.T/Echo", new Uint8Array(1), 20_000);
  deepEqual([code, text], [GrpcCode.ResourceExhausted, "etcdserver: too many requests"]);
  first.destroy();
  await until(() => grpc.calls === streamsMax - streamsPerConnectionMax);
  await othersAreServed();
  second.destroy();
  await until(() => grpc.calls === 0);
});

test("a header block that does not end: closed after a few CONTINUATION frames", async () => {
  const client = await connect();
  client.send(frame(FrameType.Headers, 0, 1, headerBlock("/t.T/Echo", "localhost")));
  const piece = frame(FrameType.Continuation, 0, 1, Buffer.from([0, 1, 0x61, 1, 0x62]));
  await client.flood(repeat(12, () => piece));
  await client.until(() => false);
  equal(client.closed, true);
  await othersAreServed();
});

test("header bombs: too many fields, too long ones, and one that is repeated by its index", async () => {
  const literal = (name: string, value: string): Buffer => {
    const length = Buffer.concat([
      Buffer.from([0x7f]),
      Buffer.from([((value.length - 127) & 0x7f) | 0x80, (value.length - 127) >> 7]),
    ]);
    const prefix = value.length < 127 ? Buffer.from([value.length]) : length;
    return Buffer.concat([
      Buffer.from([0x40, name.length]),
      Buffer.from(name),
      prefix,
      Buffer.from(value),
    ]);
  };
  const block = headerBlock("/t.T/Echo", "localhost");
  const many = Array.from({ length: 200 }, (_, n) => literal(`a${n}`, "b"));
  // The newest entry of the dynamic table is index 62: a byte for two thousand.
  const bomb = [literal("x", "y".repeat(2000)), Buffer.alloc(14_000, 0x80 | 62)];
  const long = Array.from({ length: 9 }, (_, n) => literal(`l${n}`, "z".repeat(2000)));
  for (const [what, fields] of [
    ["many", many],
    ["bomb", bomb],
    ["long", long],
  ] as const) {
    const client = await connect();
    const before = messages;
    const all = Buffer.concat([block, ...fields]);
    const pieces = [all.subarray(0, 16_384), all.subarray(16_384)];
    client.send(
      frame(FrameType.Headers, pieces[1]!.length === 0 ? Flag.EndHeaders : 0, 1, pieces[0]!),
      ...(pieces[1]!.length === 0
        ? []
        : [frame(FrameType.Continuation, Flag.EndHeaders, 1, pieces[1]!)]),
      data(1, new Uint8Array(1)),
    );
    await client.until(() =>
      client.frames.some(({ stream, type }) => stream === 1 || type === FrameType.GoAway),
    );
    const answer = client.frames.find(
      ({ stream, type }) => stream === 1 || type === FrameType.GoAway,
    );
    ok(client.closed || answer!.type !== FrameType.Data, what);
    equal(messages, before, `${what}: nobody hears of the call`);
    client.destroy();
    await othersAreServed();
  }
});

test("pings, settings, priorities, empty frames, unknown ones: others are served meanwhile and after", async () => {
  const block = headerBlock("/t.T/Hang", "localhost");
  const opened = frame(FrameType.Headers, Flag.EndHeaders, 1, block);
  const floods: readonly (readonly [string, Uint8Array, boolean])[] = [
    ["pings", frame(FrameType.Ping, 0, 0, Buffer.alloc(8)), true],
    ["settings", frame(FrameType.Settings, 0, 0, setting(3, 100)), false],
    ["priorities", frame(FrameType.Priority, 0, 1, Buffer.from([0, 0, 0, 0, 9])), false],
    ["empty DATA", frame(FrameType.Data, 0, 1, Buffer.alloc(0)), false],
    ["an unknown type", frame(0x0c, 0, 1, Buffer.alloc(30)), false],
    ["windows", frame(FrameType.WindowUpdate, 0, 1, u32(1)), false],
  ];
  for (const [what, piece, ends] of floods) {
    const client = await connect();
    client.send(opened);
    client.socket.pause(); // what is answered piles up at the server
    const chunk = Buffer.concat(Array.from({ length: 500 }, () => piece));
    const flood = client.flood(repeat(100, () => chunk));
    await othersAreServed();
    client.socket.resume();
    await flood;
    if (ends) {
      await client.until(() => false);
      equal(client.goneWith, http2.constants.NGHTTP2_ENHANCE_YOUR_CALM, what);
    }
    client.destroy();
    await othersAreServed();
  }
});

test("settings and windows that nobody may ask for end their connection", async () => {
  const wrong: readonly (readonly [string, Uint8Array])[] = [
    ["MAX_FRAME_SIZE of nothing", frame(FrameType.Settings, 0, 0, setting(5, 0))],
    ["MAX_FRAME_SIZE of 2^24", frame(FrameType.Settings, 0, 0, setting(5, 1 << 24))],
    ["INITIAL_WINDOW_SIZE of 2^31", frame(FrameType.Settings, 0, 0, setting(4, 2 ** 31))],
    ["SETTINGS of five bytes", frame(FrameType.Settings, 0, 0, Buffer.alloc(5))],
    ["an increment of nothing", frame(FrameType.WindowUpdate, 0, 0, u32(0))],
    ["a window beyond 2^31", frame(FrameType.WindowUpdate, 0, 0, u32(2 ** 31 - 1))],
    ["a frame of 16385 bytes", frame(FrameType.Data, 0, 1, Buffer.alloc(16_385))],
    ["a ping of seven bytes", frame(FrameType.Ping, 0, 0, Buffer.alloc(7))],
    ["a call of stream 2", call("/t.T/Echo", 2)],
  ];
  for (const [what, bytes] of wrong) {
    const client = await connect();
    client.send(call("/t.T/Hang", 1), bytes);
    await client.until(() => false);
    equal(client.closed, true, what);
    ok(client.goneWith > 0, what);
  }
  await othersAreServed();
});

test("a message in pieces of one byte costs no more than itself", async () => {
  const client = await connect();
  const message = new Uint8Array(200_000).fill(7);
  const framed = frameMessage(message);
  client.send(headers("/t.T/Echo", 1), frame(FrameType.WindowUpdate, 0, 0, u32(1 << 20)));
  await client.flood(
    repeat(200, (n) => {
      const part = framed.subarray(n * 1001, (n + 1) * 1001);
      return Buffer.concat([...part].map((byte) => frame(FrameType.Data, 0, 1, Buffer.of(byte))));
    }),
  );
  client.send(frame(FrameType.Data, Flag.EndStream, 1, Buffer.alloc(0)));
  const heard = (): number =>
    client.frames.reduce((sum, { type, payload }) => sum + (type === 0 ? payload.length : 0), 0);
  // The stream's window is 65,535 bytes until it is raised.
  await client.until(() => heard() >= 65_535);
  client.send(frame(FrameType.WindowUpdate, 0, 1, u32(1 << 20)));
  await client.until(() => heard() === framed.length);
  equal(heard(), framed.length);
  client.destroy();
});

test("who asks and does not read holds so many bytes and no more; they are free when it goes", async () => {
  const client = await connect(setting(4, 0));
  for (let n = 0; n < 4; n += 1) client.send(call("/t.T/Large", 2 * n + 1));
  await until(() => replyBytes.taken >= 4 * 500_000);
  equal(replyBytes.full, true);
  await othersAreServed();
  client.destroy();
  await until(() => replyBytes.taken === 0);
  equal(replyBytes.full, false);
});
