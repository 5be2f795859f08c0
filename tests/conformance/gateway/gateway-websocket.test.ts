// WebSockets at the JSON gateway beside a real etcd 3.4.23: the same frames, the same messages back. What
// differs on purpose stands in the last tests: who may come in, and that the server says goodbye.
import { deepEqual, equal, match } from "node:assert/strict";
import { after, before, test } from "node:test";
import { etcdMissing } from "../../processes/etcd-cluster.ts";
import { GatewayPair, plainBody } from "./gateway-pair.ts";
import { httpCall } from "./http-call.ts";
import { Op, WebSocketClient } from "./web-socket-client.ts";
import type { Handshake } from "./web-socket-client.ts";

const missing = etcdMissing();
if (missing !== null) process.stderr.write(`\nSKIPPED WebSockets beside etcd: ${missing}\n\n`);
const skip = missing ?? false;

let pair: GatewayPair;

before(async () => {
  if (skip === false) pair = await GatewayPair.start();
});

after(async () => {
  if (skip === false) await pair.close();
});

class SocketPair {
  readonly #etcd: WebSocketClient;
  readonly #quorate: WebSocketClient;

  constructor(etcd: WebSocketClient, quorate: WebSocketClient) {
    this.#etcd = etcd;
    this.#quorate = quorate;
  }

  static async open(path: string, handshake: Handshake = {}): Promise<SocketPair> {
    const [etcd, quorate] = await Promise.all(
      [pair.etcdAddress, pair.quorateAddress].map((address) =>
        WebSocketClient.open(address, path, handshake),
      ),
    );
    deepEqual(quorate!.head, etcd!.head);
    return new SocketPair(etcd!, quorate!);
  }

  send(use: (socket: WebSocketClient) => void): void {
    use(this.#etcd);
    use(this.#quorate);
  }

  text(payload: string): void {
    this.send((socket) => socket.text(payload));
  }

  /** The next thing that comes from both, when it is the same. */
  async next(): Promise<string> {
    const [theirs, ours] = await Promise.all([this.#etcd.next(), this.#quorate.next()]);
    equal(plainBody(ours), plainBody(theirs));
    return ours;
  }

  /** etcd goes without a word. */
  async ended(): Promise<void> {
    const theirs = await this.#etcd.next();
    const ours = [await this.#quorate.next(), await this.#quorate.next()];
    deepEqual([theirs, ours], ["end", ["close 1000", "end"]]);
  }

  close(): void {
    this.send((socket) => socket.close());
  }
}

const create = `{"create_request":{"key":"dw=="}}`;

test("watch: the handshake, events, requests in any pieces, pings", { skip }, async () => {
  const watch = await SocketPair.open("/v3/watch");
  watch.text(create);
  match(await watch.next(), /^\{"result":\{.*"created":true\}\}$/);
  await pair.same({ path: "/v3/kv/put", body: `{"key":"dw==","value":"MQ=="}` });
  match(await watch.next(), /"events":\[\{"kv":\{"key":"dw==",/);

  watch.send((socket) => {
    socket.frame(Op.Text, Buffer.from(`{"create_req`), { final: false });
    socket.frame(Op.Ping, Buffer.from("hello"));
    socket.frame(Op.Continuation, Buffer.from(`uest":{"key":"eA=="}}`));
  });
  equal(await watch.next(), "pong hello");
  match(await watch.next(), /"watch_id":"1","created":true/);
  watch.text(`${create}{"create_request":`);
  watch.text(`{"key":"eQ=="}}`);
  match(await watch.next(), /"watch_id":"2","created":true/);
  match(await watch.next(), /"watch_id":"3","created":true/);
  watch.send((socket) => socket.frame(Op.Binary, Buffer.from(`{"cancel_request":{"watch_id":2}}`)));
  match(await watch.next(), /"watch_id":"2","canceled":true/);
  watch.text("no json any more");
  await pair.same({ path: "/v3/kv/put", body: `{"key":"eQ=="}` });
  match(await watch.next(), /"events":/);
  watch.close();
});

test("keep-alives, calls with one answer, errors, no such path", { skip }, async () => {
  await pair.same({ path: "/v3/lease/grant", body: `{"TTL":"600","ID":"77"}` });
  const lease = await SocketPair.open("/v3/lease/keepalive");
  for (const [id, told] of [
    [77, /"ID":"ID","TTL":"600"/],
    [78, /"ID":"ID"\}\}$/],
  ] as const) {
    lease.text(`{"ID":"${id}"}`);
    match(plainBody(await lease.next()), told);
  }
  lease.close();
  for (const [path, body] of [
    ["/v3/kv/range", `{"key":"dw=="}`],
    ["/v3beta/kv/put", `{"key":"YQ==","value":"MQ=="}`],
    ["/v3/kv/range?method=GET", "{}"],
    ["/v3/kv/range", "nonsense"],
    ["/v3/watch", "nonsense"],
    ["/v3/nothing", ""],
  ] as const) {
    const call = await SocketPair.open(path);
    if (body !== "") call.text(body);
    await call.next();
    await call.ended();
    call.close();
  }
});

test("closes of the client, and what it may not send", { skip }, async () => {
  const frames: readonly (readonly [why: string, send: (socket: WebSocketClient) => void])[] = [
    ["close 1000", (s) => s.frame(Op.Close, Buffer.from([3, 232]))],
    ["close 3001", (s) => s.frame(Op.Close, Buffer.from([11, 185, 98, 121, 101]))],
    ["close", (s) => s.frame(Op.Close, Buffer.alloc(0))],
    ["close 1002", (s) => s.frame(Op.Close, Buffer.from([3, 237]))],
    ["close 1002", (s) => s.bytes(Buffer.from([0x81, 0x02, 0x7b, 0x7d]))],
    ["close 1002", (s) => s.bytes(Buffer.from([0xc1, 0x80, 0, 0, 0, 0]))],
    ["close 1002", (s) => s.bytes(Buffer.from([0x83, 0x80, 0, 0, 0, 0]))],
    ["close 1002", (s) => s.frame(Op.Continuation, Buffer.from("{}"))],
    ["close 1002", (s) => s.frame(Op.Ping, Buffer.from("{}"), { final: false })],
  ];
  for (const [told, send] of frames) {
    const watch = await SocketPair.open("/v3/watch");
    watch.text(create);
    await watch.next();
    watch.send(send);
    equal(await watch.next(), told);
    equal(await watch.next(), "end");
  }
});

test("handshakes that are none, and upgrades of other paths", { skip }, async () => {
  const good = {
    Connection: "Upgrade",
    Upgrade: "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
  };
  const { "Sec-WebSocket-Key": _, ...keyless } = good;
  const old = { ...good, "Sec-WebSocket-Version": "12" };
  for (const headers of [old, keyless]) {
    const { status } = await pair.same({ method: "GET", path: "/v3/watch", headers });
    equal(status, 400);
  }
  const posted = await pair.same({ method: "POST", path: "/v3/watch", headers: good });
  equal(posted.status, 405);
  for (const path of ["/version", "/v3", "/v3/kv/../watch", "/nothing"]) {
    await pair.same({ method: "GET", path, headers: good });
  }
  const body = `{"key":"dw=="}`;
  const h2c = { Connection: "Upgrade, HTTP2-Settings", Upgrade: "h2c", "HTTP2-Settings": "AA" };
  equal((await pair.same({ path: "/v3/kv/range", body, headers: h2c })).status, 200);
});

test("a page of another origin may not open one, a page of the own may", { skip }, async () => {
  const opened = async (origin: string): Promise<string> => {
    const headers = { Origin: origin };
    const socket = await WebSocketClient.open(pair.quorateAddress, "/v3/watch", { headers });
    socket.close();
    return socket.head[0]!;
  };
  equal(await opened("http://elsewhere.example"), "HTTP/1.1 403 Forbidden");
  equal(await opened(`http://${pair.quorateAddress}`), "HTTP/1.1 101 Switching Protocols");
});

test("a message that is too long ends it, with the code for that", { skip }, async () => {
  const socket = await WebSocketClient.open(pair.quorateAddress, "/v3/watch");
  equal(socket.head.includes(`Sec-WebSocket-Accept: ${WebSocketClient.accept}`), true);
  socket.bytes(Buffer.from([0x81, 0xff, 0, 0, 0, 1, 0, 0, 0, 0, 1, 2, 3, 4]));
  deepEqual([await socket.next(), await socket.next()], ["close 1009", "end"]);
});

// The last: behind it a token is needed.
test("a token comes as a subprotocol", { skip }, async () => {
  const rows: readonly (readonly [path: string, body: string])[] = [
    ["/v3/auth/user/add", `{"name":"root","password":"root-pass"}`],
    ["/v3/auth/role/add", `{"name":"root"}`],
    ["/v3/auth/user/grant", `{"user":"root","role":"root"}`],
    ["/v3/auth/enable", "{}"],
  ];
  for (const [path, body] of rows) await pair.same({ path, body });
  const tokenAt = async (address: string): Promise<string> => {
    const body = `{"name":"root","password":"root-pass"}`;
    const answer = await httpCall(address, { path: "/v3/auth/authenticate", body });
    return (JSON.parse(answer.body) as { token: string }).token;
  };
  const createdBy = async (address: string, protocol: string): Promise<string> => {
    const headers = { "Sec-WebSocket-Protocol": protocol };
    const socket = await WebSocketClient.open(address, "/v3/watch", { headers });
    socket.text(create);
    const told = await socket.next();
    socket.close();
    const agreed = socket.head.find((line) => line.startsWith("Sec-WebSocket-Protocol"));
    return `${/"canceled":true/.test(told) ? "refused" : "created"}, ${agreed}`;
  };
  const ours = pair.quorateAddress;
  const theirs = pair.etcdAddress;
  const [ourToken, theirToken] = await Promise.all([tokenAt(ours), tokenAt(theirs)]);
  const agreed = "Sec-WebSocket-Protocol: Bearer";
  equal(await createdBy(ours, `Bearer, ${ourToken}`), `created, ${agreed}`);
  // etcd 3.4 takes the scheme for a part of the token.
  equal(await createdBy(theirs, `Bearer, ${theirToken}`), `refused, ${agreed}`);
  for (const address of [ours, theirs]) {
    equal(await createdBy(address, "Bearer, nonsense"), `refused, ${agreed}`);
    equal(await createdBy(address, "something.else"), "refused, undefined");
  }
});
