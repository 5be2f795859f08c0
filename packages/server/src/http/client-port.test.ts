// Method: the client port over real sockets. Goal: connections past a limit end at once and cost nobody
// else anything; one that says nothing ends in time; gRPC and HTTP find their way on one port.
import { equal } from "node:assert/strict";
import http from "node:http";
import net from "node:net";
import { after, test } from "node:test";
import { GrpcClient, GrpcCode, GrpcServer } from "@quorate/grpc";
import { ClientPort, connectionsMaxOf, Speaks } from "./client-port.ts";
import type { ClientPortLimits } from "./client-port.ts";

const closers: (() => void)[] = [];
after(() => closers.forEach((close) => close()));

interface Listening {
  readonly port: number;
  readonly clients: ClientPort;
}

async function listen(limits: Partial<ClientPortLimits>, speaks?: Speaks): Promise<Listening> {
  const grpc = new GrpcServer({
    methods: new Map([["/t.T/Echo", 1]]),
    messageBytesMax: 1024,
    streamsPerConnectionMax: 10,
    headerBytesMax: 16_384,
    handler: { onMessage: (_method, message, sink) => sink.reply(message) },
  });
  const clients = new ClientPort(
    grpc,
    {
      handle: (_request, response) => void response.end("hello"),
      upgrades: () => false,
      upgrade: (_request, socket) => void socket.destroy(),
    },
    {
      connectionsMax: 100,
      connectionsPerAddressMax: 100,
      connectionsFromLoopbackMax: 100,
      ...limits,
    },
  );
  closers.push(() => {
    clients.close();
    clients.destroy();
  });
  return { port: await clients.bind("127.0.0.1", 0, speaks), clients };
}

/** From an address of this machine. */
function connect(port: number, localAddress: string = "127.0.0.1"): net.Socket {
  const socket = net.connect({ port, host: "127.0.0.1", localAddress });
  socket.on("error", () => undefined);
  socket.resume();
  closers.push(() => socket.destroy());
  return socket;
}

const closed = (socket: net.Socket): Promise<void> =>
  new Promise((resolve) => socket.on("close", () => resolve()));

async function until(what: () => boolean): Promise<void> {
  while (!what()) await new Promise((resolve) => setTimeout(resolve, 2));
}

test("connections of an address: one more ends at once, those of another address do not", async () => {
  const { port, clients } = await listen({ connectionsFromLoopbackMax: 3 });
  const held = [1, 2, 3].map(() => connect(port));
  await until(() => clients.connections === 3);
  await closed(connect(port));
  equal(clients.refused, 1);
  connect(port, "127.0.0.2");
  await until(() => clients.connections === 4);
  held[0]!.destroy();
  await until(() => clients.connections === 3);
  connect(port);
  await until(() => clients.connections === 4);
  equal(clients.refused, 1);
});

test("an address elsewhere has fewer than one of this machine, in each way to write them", () => {
  const limits = { connectionsPerAddressMax: 1, connectionsFromLoopbackMax: 2 };
  for (const address of ["127.0.0.1", "127.8.9.10", "::1", "::ffff:127.0.0.1"]) {
    equal(connectionsMaxOf(address, limits), 2, address);
  }
  for (const address of ["10.0.0.1", "12.7.0.1", "::ffff:10.127.0.1", "fe80::1", ""]) {
    equal(connectionsMaxOf(address, limits), 1, address);
  }
});

test("connections of all: one more ends at once; those that are served go on", async () => {
  const { port, clients } = await listen({ connectionsMax: 5 });
  const client = new GrpcClient(`127.0.0.1:${port}`);
  closers.push(() => client.close());
  const ask = async (): Promise<GrpcCode> =>
    (await client.call("/t.T/Echo", new Uint8Array(1), 10_000)).code;
  equal(await ask(), GrpcCode.Ok);
  for (let n = 2; n <= 5; n += 1) connect(port, `127.0.0.${n}`);
  await until(() => clients.connections === 5);
  for (let n = 0; n < 20; n += 1) await closed(connect(port));
  equal(clients.refused, 20);
  equal(await ask(), GrpcCode.Ok);
});

test("who says nothing, or too little to be told apart, is let go in time", async () => {
  const { port, clients } = await listen({ firstBytesMs: 50 });
  const silent = connect(port);
  const slow = connect(port);
  slow.write("PRI");
  await Promise.all([closed(silent), closed(slow)]);
  await until(() => clients.connections === 0);
});

test("both are told apart on one port; a port for one of them ends the other's connections", async () => {
  const get = (port: number): Promise<string> =>
    new Promise((resolve) => {
      const request = http.get({ port, host: "127.0.0.1", agent: false }, (response) => {
        response.setEncoding("utf8").on("data", resolve);
      });
      request.on("error", () => resolve("ended"));
    });
  const call = async (port: number): Promise<GrpcCode> => {
    const client = new GrpcClient(`127.0.0.1:${port}`);
    const { code } = await client.call("/t.T/Echo", new Uint8Array(1), 10_000);
    client.close();
    return code;
  };
  const both = await listen({});
  equal(await get(both.port), "hello");
  equal(await call(both.port), GrpcCode.Ok);
  const grpcOnly = await listen({}, Speaks.Grpc);
  equal(await get(grpcOnly.port), "ended");
  equal(await call(grpcOnly.port), GrpcCode.Ok);
  const httpOnly = await listen({}, Speaks.Http);
  equal(await get(httpOnly.port), "hello");
  equal(await call(httpOnly.port), GrpcCode.Unavailable);
});
