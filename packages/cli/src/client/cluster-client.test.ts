// Endpoints and failover: the next endpoint is asked exactly when nothing can have been done at the
// one before. Real sockets; the members are our own gRPC server with a handler that says what it must.
import { deepEqual, equal, match, rejects, throws } from "node:assert/strict";
import net from "node:net";
import { after, test } from "node:test";
import { GrpcCode, GrpcServer } from "@quorate/grpc";
import type { GrpcSink } from "@quorate/grpc";
import { CommandError, UsageError } from "../exit.ts";
import { ClusterClient, LostAnswer } from "./cluster-client.ts";
import { parseEndpoints, splitEndpoint } from "./endpoints.ts";
import { reach } from "./reach.ts";

const closers: (() => void)[] = [];
after(() => closers.forEach((close) => close()));

interface Member {
  readonly address: string;
  asked: number;
}

async function member(answer: (sink: GrpcSink) => void): Promise<Member> {
  const grpc = new GrpcServer({
    methods: new Map([["/t.T/M", 1]]),
    messageBytesMax: 1024,
    streamsPerConnectionMax: 10,
    headerBytesMax: 4096,
    handler: {
      onMessage: (_method, _message, sink) => {
        made.asked += 1;
        answer(sink);
      },
    },
  });
  const server = net.createServer((socket) => grpc.accept(socket));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  closers.push(() => {
    grpc.destroy();
    server.close();
  });
  const { port } = server.address() as net.AddressInfo;
  const made: Member = { address: `127.0.0.1:${port}`, asked: 0 };
  return made;
}

/** Takes a connection, and ends it when the first call has come. */
async function dying(): Promise<string> {
  const server = net.createServer((socket) => {
    socket.on("error", () => undefined);
    socket.once("data", () => socket.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  closers.push(() => server.close());
  const { port } = server.address() as net.AddressInfo;
  return `127.0.0.1:${port}`;
}

async function closedPort(): Promise<string> {
  const server = net.createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as net.AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return `127.0.0.1:${port}`;
}

const yes = (sink: GrpcSink): void => sink.reply(Uint8Array.of(7));
const empty = new Uint8Array(0);

test("the first endpoint that can be reached answers; the others are not asked", async () => {
  const [closed, first, second] = [await closedPort(), await member(yes), await member(yes)];
  const client = new ClusterClient([closed, first.address, second.address], 1000);
  deepEqual([...(await client.call("/t.T/M", empty))], [7]);
  deepEqual([first.asked, second.asked], [1, 0]);
});

test("no leader means nothing was done: the next endpoint is asked", async () => {
  const cut = await member((sink) => sink.fail(GrpcCode.Unavailable, "etcdserver: no leader"));
  const good = await member(yes);
  const client = new ClusterClient([cut.address, good.address], 1000);
  deepEqual([...(await client.call("/t.T/M", empty))], [7]);
  deepEqual([cut.asked, good.asked], [1, 1]);
});

test("an endpoint that goes while it is asked: a read goes on at the next one, a write is unknown", async () => {
  const going = await dying();
  const good = await member(yes);
  const client = new ClusterClient([going, good.address], 1000);
  deepEqual([...(await client.read("/t.T/M", empty))], [7]);
  await rejects(client.call("/t.T/M", empty), LostAnswer);
  equal(good.asked, 1);
});

test("an unknown outcome is told, and never tried again elsewhere", async () => {
  const lost = await member((sink) =>
    sink.fail(GrpcCode.Unavailable, "etcdserver: request timed out"),
  );
  const good = await member(yes);
  const client = new ClusterClient([lost.address, good.address], 1000);
  await rejects(client.call("/t.T/M", empty), new CommandError("etcdserver: request timed out"));
  equal(good.asked, 0);
});

test("no answer in time is told in etcd's words, and not tried elsewhere", async () => {
  const silent = await member(() => undefined);
  const good = await member(yes);
  const client = new ClusterClient([silent.address, good.address], 100);
  await rejects(client.call("/t.T/M", empty), new CommandError("context deadline exceeded"));
  equal(good.asked, 0);
});

test("whom a cut-off member misses is told", async () => {
  const trailers = { "quorate-missing": "m2,m3" };
  const cut = await member((sink) =>
    sink.fail(GrpcCode.Unavailable, "etcdserver: no leader", trailers),
  );
  await rejects(
    new ClusterClient([cut.address], 1000).call("/t.T/M", empty),
    new CommandError("etcdserver: no leader (not heard: m2,m3)"),
  );
});

test("when nobody can be reached, every endpoint is named", async () => {
  const [a, b] = [await closedPort(), await closedPort()];
  await rejects(
    new ClusterClient([a, b], 1000).call("/t.T/M", empty),
    new CommandError(
      `cannot reach ${a}: connection refused; cannot reach ${b}: connection refused`,
    ),
  );
});

test("reach: null, or why not", async () => {
  equal(await reach((await member(yes)).address), null);
  equal(await reach(await closedPort()), "connection refused");
  match((await reach("no-such-host.invalid:1")) ?? "", /host|name/);
});

test("endpoints: as etcdctl takes them; what is none is refused", () => {
  deepEqual(parseEndpoints("127.0.0.1:2379, http://h:1/,127.0.0.1:2379"), [
    "127.0.0.1:2379",
    "h:1",
  ]);
  deepEqual(parseEndpoints("[::1]:2379").map(splitEndpoint), [{ host: "::1", port: 2379 }]);
  for (const wrong of ["", "h", "h:0", "h:70000", "h:1,", "http://h:1/x", "unix://x", "::1:1"]) {
    throws(() => parseEndpoints(wrong), UsageError, wrong);
  }
  const mixed = "https://h:1,HTTPS://h:2,http://h:3,h:4";
  deepEqual(parseEndpoints(mixed), ["https://h:1", "https://h:2", "h:3", "h:4"]);
  deepEqual(parseEndpoints(mixed, true), ["https://h:1", "https://h:2", "h:3", "https://h:4"]);
  deepEqual(splitEndpoint("https://[::1]:2379"), { host: "::1", port: 2379 });
});
