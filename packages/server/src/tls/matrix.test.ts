// Method: every listener with real sockets × who comes with which certificate. Goal: one judgement for
// all of them (GHSA-3wh4), whoever is refused is not spoken to, and the log says why.
import { deepEqual, equal, match, ok } from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import net from "node:net";
import tls from "node:tls";
import { GrpcClient, GrpcCode, GrpcServer, ReplyBytes } from "@quorate/grpc";
import type { GrpcHandler, GrpcPeer } from "@quorate/grpc";
import { LinkEnd } from "@quorate/storage";
import type { Link } from "@quorate/storage";
import { NodeTransport } from "../env/node-transport.ts";
import { Release } from "../etcd/release.ts";
import { ClientPort, Speaks } from "../http/client-port.ts";
import { Gateway } from "../http/gateway/gateway.ts";
import type { CertificateFiles, TlsOptions } from "./options.ts";
import { logLines } from "./testing/lines.ts";
import type { Line } from "./testing/lines.ts";
import { TestAuthority } from "./testing/test-authority.ts";
import { tlsOptions } from "./testing/tls-options.ts";
import { TlsSide } from "./tls-side.ts";

const folder = mkdtempSync(join(tmpdir(), "quorate-tls-"));
const closers: (() => void)[] = [];
after(() => {
  closers.forEach((close) => close());
  rmSync(folder, { recursive: true });
});

const authority = new TestAuthority(folder, "ours");
const strangers = new TestAuthority(folder, "theirs");
const hosts = ["127.0.0.1", "member.example"];
const right = authority.issue("right", { commonName: "alice", hosts });
const member = authority.issue("member", { commonName: "member", hosts });
const revoked = authority.issue("revoked", { commonName: "alice", hosts });
const list = authority.revoke("revoked-list", [revoked.made]);

interface Case {
  readonly who: string;
  readonly shows: CertificateFiles | null;
  /** In the log; null: accepted. */
  readonly why: RegExp | null;
}

/** Both listeners judge these alike; who is allowed in is named by the certificate's host. */
const cases: readonly Case[] = [
  { who: "the right certificate", shows: right, why: null },
  { who: "no certificate", shows: null, why: /^no certificate was shown$/ },
  {
    who: "the certificate of another authority",
    shows: strangers.issue("stranger", { commonName: "alice", hosts }),
    why: /not signed by a trusted authority/,
  },
  {
    who: "an expired certificate",
    shows: authority.issue("expired", { commonName: "alice", hosts, daysLeft: -1 }),
    why: /has expired: it ends /,
  },
  {
    who: "a revoked certificate",
    shows: revoked,
    why: /^the certificate with serial [0-9A-F]+ is/,
  },
  {
    who: "the certificate of another name",
    shows: authority.issue("other", { commonName: "mallory", hosts: ["127.0.0.1"] }),
    why: /^the certificate stands for no allowed host \(IP Address:127\.0\.0\.1\)$/,
  },
  {
    who: "a certificate whose CN alone is the allowed host",
    shows: authority.issue("cn-only", { commonName: "member.example", hosts: ["127.0.0.1", "cn"] }),
    why: /^the certificate stands for no allowed host/,
  },
  {
    who: "a certificate that is made for servers only",
    shows: authority.issue("server", { commonName: "alice", hosts, usages: ["server"] }),
    why: /not made for this use/,
  },
];

const demands = {
  own: member,
  authorities: authority.file,
  revoked: list,
  allowedHosts: ["member.example"],
} as const;

describe("the port of clients", () => {
  const { logger, lines } = logLines();
  let port = 0;
  /** For gRPC alone, as the client URLs are beside --listen-client-http-urls. */
  let grpcPort = 0;
  const peers: GrpcPeer[] = [];
  before(async () => {
    const side = new TlsSide(tlsOptions({ use: "client", names: true, ...demands }), logger);
    side.open();
    const handler: GrpcHandler = {
      onMessage: (_, message, sink) => {
        peers.push(sink.peer);
        sink.reply(message);
      },
    };
    const bounds = { messageBytesMax: 1024, streamsPerConnectionMax: 10, headerBytesMax: 4096 };
    const grpc = new GrpcServer({ methods: new Map([["/t.T/M", 1]]), handler, ...bounds });
    const gateway = new Gateway({
      handler,
      methods: new Map([["/etcdserverpb.KV/Range", 1]]),
      messageBytesMax: 1024,
      release: Release.V35,
      onHandled: () => undefined,
      replyBytes: new ReplyBytes(Infinity),
    });
    const clients = new ClientPort(
      grpc,
      {
        handle: (request, response) => {
          if (request.url === "/") response.end("hello");
          else gateway.handle(request.url ?? "", request, response);
        },
        upgrades: () => false,
        upgrade: (_request, socket) => void socket.destroy(),
      },
      { connectionsMax: 100, connectionsPerAddressMax: 100, connectionsFromLoopbackMax: 100 },
      side.handshakes,
    );
    port = await clients.bind("127.0.0.1", 0, Speaks.Both, true);
    grpcPort = await clients.bind("127.0.0.1", 0, Speaks.Grpc, true);
    closers.push(() => {
      clients.close();
      clients.destroy();
      side.credentials.close();
    });
  });

  for (const { who, shows, why } of cases) {
    test(`gRPC: ${who} is ${why === null ? "served" : "refused"}`, async () => {
      const seen = lines.length;
      const calls = peers.length;
      const client = new GrpcClient(`https://127.0.0.1:${port}`, {
        authorities: readFileSync(authority.file),
        certificate: shows === null ? null : readFileSync(shows.certificate),
        key: shows === null ? null : readFileSync(shows.key),
        verify: true,
      });
      const { code, message } = await client.call("/t.T/M", Uint8Array.of(1), 10_000);
      client.close();
      if (why === null) {
        equal(code, GrpcCode.Ok);
        deepEqual([...message!], [1]);
        deepEqual(peers.at(-1), { address: "127.0.0.1", commonName: "alice" });
        return;
      }
      equal(code, GrpcCode.Unavailable);
      equal(peers.length, calls);
      await refusedFor(lines, seen, why);
    });

    test(`HTTP: ${who} is ${why === null ? "served" : "refused"}`, async () => {
      const answer = await http(port, shows, ["http/1.1"]);
      equal(answer.includes("hello"), why === null);
    });
  }

  test("a call through the gateway is nobody's, whatever certificate is shown (CVE-2018-16886)", async () => {
    const text = "POST /v3/kv/range HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}";
    const calls = peers.length;
    match(await said(connect(port, right, {}), text), /^HTTP\/1\.1 200 OK\r\n/);
    deepEqual(peers.slice(calls), [{ address: "127.0.0.1", commonName: null }]);
  });

  test("who offers HTTP/1.1 besides HTTP/2 is spoken to in HTTP/1.1, who offers neither not at all", async () => {
    ok((await http(port, right, ["h2", "http/1.1"])).includes("hello"));
    ok((await http(port, right, [])).includes("hello"));
    equal(await http(port, right, ["spdy/3"]), "");
    const offered = (to: number): Promise<string | false | null> => {
      const socket = connect(to, right, { ALPNProtocols: ["h2", "http/1.1"] });
      return once(socket, "secureConnect").then(() => {
        socket.destroy();
        return socket.alpnProtocol;
      });
    };
    deepEqual([await offered(port), await offered(grpcPort)], ["http/1.1", "h2"]);
  });

  test("versions below 1.2 and suites without authenticated encryption are not spoken", async () => {
    const open = { ciphers: "ALL:@SECLEVEL=0" };
    equal(await http(port, right, [], { ...open, maxVersion: "TLSv1.1", minVersion: "TLSv1" }), "");
    const weak = { ciphers: "ECDHE-ECDSA-AES128-SHA256:@SECLEVEL=0" } as const;
    equal(await http(port, right, [], { ...weak, maxVersion: "TLSv1.2" }), "");
    const good = { ciphers: "ECDHE-ECDSA-AES128-GCM-SHA256" } as const;
    ok((await http(port, right, [], { ...good, maxVersion: "TLSv1.2" })).includes("hello"));
  });

  test("no session is resumed: each connection is judged anew", async () => {
    const first = connect(port, right, {});
    const [session] = (await once(first, "session")) as [Buffer];
    first.destroy();
    const second = connect(port, right, { session });
    await once(second, "secureConnect");
    equal(second.isSessionReused(), false);
    second.destroy();
  });
});

describe("the port of peers", () => {
  interface PeerPort {
    readonly port: number;
    readonly lines: Line[];
    accepted: number;
  }

  /** Sends back what comes. */
  async function listen(options: Partial<TlsOptions> = {}): Promise<PeerPort> {
    const { logger, lines } = logLines();
    const side = new TlsSide(tlsOptions({ use: "peer", ...demands, ...options }), logger);
    side.open();
    const transport = new NodeTransport(side);
    const made: PeerPort = { port: await freePort(), lines, accepted: 0 };
    await transport.bind("127.0.0.1", made.port, true);
    transport.listen((link) => {
      made.accepted += 1;
      return { ...silent, onBytes: (bytes) => void link.send(bytes) };
    });
    closers.push(() => {
      transport.close();
      side.credentials.close();
    });
    return made;
  }

  let peers: PeerPort;
  before(async () => {
    peers = await listen();
  });

  for (const { who, shows, why } of cases) {
    test(`${who} is ${why === null ? "taken" : "refused"}`, async () => {
      const [seen, before] = [peers.lines.length, peers.accepted];
      const echo = await said(connect(peers.port, shows, {}), "frame");
      equal(echo, why === null ? "frame" : "");
      equal(peers.accepted, before + (why === null ? 1 : 0));
      if (why !== null) await refusedFor(peers.lines, seen, why);
    });
  }

  test("a peer without TLS is refused, and the log says so", async () => {
    const seen = peers.lines.length;
    equal(await said(net.connect(peers.port, "127.0.0.1"), "a plain frame of some length"), "");
    await refusedFor(peers.lines, seen, /^it does not speak TLS$/);
  });

  test("by name (CN), where names are allowed", async () => {
    const named = await listen({ allowedHosts: [], allowedNames: ["m1", "alice"] });
    equal(await said(connect(named.port, right, {}), "frame"), "frame");
    equal(await said(connect(named.port, member, {}), "frame"), "");
    await refusedFor(named.lines, 0, /^the name "member" is not an allowed one$/);
  });

  test("a peer whose certificate is of another address is refused, unless told otherwise", async () => {
    const elsewhere = authority.issue("elsewhere", { hosts: ["192.0.2.1", "member.example"] });
    const seen = peers.lines.length;
    equal(await said(connect(peers.port, elsewhere, {}), "frame"), "");
    await refusedFor(peers.lines, seen, /^the certificate does not stand for 127\.0\.0\.1, from/);
    const lenient = await listen({ checkAddress: false });
    equal(await said(connect(lenient.port, elsewhere, {}), "frame"), "frame");
    // A name that leads there will do, and so does a certificate that names no host at all.
    const local = authority.issue("by-name", { hosts: ["localhost", "member.example"] });
    equal(await said(connect(peers.port, local, {}), "frame"), "frame");
    const open = await listen({ allowedHosts: [] });
    equal(await said(connect(open.port, authority.issue("hostless", {}), {}), "frame"), "frame");
  });
});

describe("dialling a peer", () => {
  /** A member that listens with this certificate; what a dial to it, named so, comes to. */
  async function dial(
    shows: CertificateFiles,
    options: Partial<Parameters<typeof tlsOptions>[0]> = {},
    host: string = "127.0.0.1",
  ): Promise<{ readonly end: LinkEnd | "open"; readonly lines: Line[] }> {
    const { logger, lines } = logLines();
    const listening = new TlsSide(tlsOptions({ use: "peer", own: shows }), logger);
    listening.open();
    const server = new NodeTransport(listening);
    const at = await freePort();
    await server.bind("127.0.0.1", at, true);
    server.listen(() => silent);
    const dialling = new TlsSide(tlsOptions({ use: "peer", ...demands, ...options }), logger);
    dialling.open();
    const transport = new NodeTransport(dialling);
    closers.push(() => [listening, dialling].forEach(({ credentials }) => credentials.close()));
    closers.push(() => [server, transport].forEach((one) => one.close()));
    const end = await new Promise<LinkEnd | "open">((resolve) => {
      const link: Link = transport.dial(`https://${host}:${at}`, {
        ...silent,
        onOpen: () => {
          resolve("open");
          link.close();
        },
        onEnd: resolve,
      });
    });
    return { end, lines };
  }

  test("who shows the right certificate is spoken to", async () => {
    equal((await dial(member)).end, "open");
    equal((await dial(member, { allowedHosts: [], allowedNames: ["member"] })).end, "open");
    const local = authority.issue("local", { hosts: ["localhost", "member.example"] });
    equal((await dial(local, {}, "localhost")).end, "open");
  });

  const rows: readonly (readonly [string, CertificateFiles, RegExp])[] = [
    [
      "a certificate of another authority",
      strangers.issue("strange-member", { hosts }),
      /not signed by a trusted authority/,
    ],
    ["an expired one", authority.issue("old-member", { hosts, daysLeft: -1 }), /has expired$/],
    ["a revoked one", revoked, /is revoked$/],
    [
      "one that is not of the host that was dialled",
      authority.issue("other-host", { hosts: ["192.0.2.1", "member.example"] }),
      /^its certificate does not stand for 127\.0\.0\.1 \(IP Address:192\.0\.2\.1, DNS:member\.ex/,
    ],
    [
      "one that is of no allowed host",
      authority.issue("unnamed", { hosts: ["127.0.0.1"] }),
      /stands for no allowed host/,
    ],
    [
      "one that is for clients only",
      authority.issue("client-only", { hosts, usages: ["client"] }),
      /purpose/,
    ],
  ];
  for (const [what, shows, why] of rows) {
    test(`who shows ${what} is not`, async () => {
      const { end, lines } = await dial(shows);
      equal(end, LinkEnd.Failed);
      const line = lines.find(({ msg }) => msg === "the dialled side is not accepted");
      match(String(line?.["error"]), why);
    });
  }

  test("who does not speak TLS is not, and a closed port is told as such (P6)", async () => {
    const { logger, lines } = logLines();
    const side = new TlsSide(tlsOptions({ use: "peer", ...demands }), logger);
    side.open();
    const transport = new NodeTransport(side);
    const plain = net.createServer((socket) =>
      socket
        .end("something else entirely")
        .resume()
        .on("error", () => undefined),
    );
    await new Promise<void>((resolve) => plain.listen(0, "127.0.0.1", resolve));
    const { port } = plain.address() as net.AddressInfo;
    const end = (): Promise<LinkEnd> =>
      new Promise((onEnd) => transport.dial(`https://127.0.0.1:${port}`, { ...silent, onEnd }));
    equal(await end(), LinkEnd.Failed);
    match(String(lines.at(-1)?.["error"]), /^it does not speak TLS$/);
    await new Promise((resolve) => plain.close(resolve));
    equal(await end(), LinkEnd.Refused);
    side.credentials.close();
  });
});

const silent = {
  onOpen: (): void => undefined,
  onBytes: (): void => undefined,
  onDrain: (): void => undefined,
  onEnd: (): void => undefined,
};

function connect(
  port: number,
  shows: CertificateFiles | null,
  options: tls.ConnectionOptions,
): tls.TLSSocket {
  const pair =
    shows === null ? {} : { cert: readFileSync(shows.certificate), key: readFileSync(shows.key) };
  const ca = readFileSync(authority.file);
  return tls.connect({ host: "127.0.0.1", port, ca, ...pair, ...options });
}

/** All that comes back for what is said, until it is as long, or until the end. */
function said(socket: net.Socket, text: string): Promise<string> {
  return new Promise((resolve) => {
    let answer = "";
    socket.on("error", () => undefined);
    socket.on("data", (bytes: Buffer) => {
      answer += bytes.toString("latin1");
      if (answer.length >= text.length) socket.destroy();
    });
    socket.on("close", () => resolve(answer));
    socket.write(text);
  });
}

function http(
  port: number,
  shows: CertificateFiles | null,
  protocols: readonly string[],
  options: tls.ConnectionOptions = {},
): Promise<string> {
  const alpn = protocols.length === 0 ? {} : { ALPNProtocols: [...protocols] };
  const socket = connect(port, shows, { ...alpn, ...options });
  return said(socket, "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
}

async function refusedFor(lines: readonly Line[], from: number, why: RegExp): Promise<void> {
  for (let turns = 0; lines.length === from && turns < 1000; turns += 1) {
    await new Promise((resolve) => setImmediate(resolve));
  }
  const line = lines.slice(from).find(({ msg }) => msg === "rejected connection");
  match(String(line?.["error"]), why);
  equal(line?.["remote"], "127.0.0.1");
}

async function freePort(): Promise<number> {
  const server = net.createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as net.AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
