// Method: real sockets that begin a handshake and do not go on. Goal: they cost a bounded number of
// places for a bounded time, and nobody else notices (CVE-2026-73500).
import { equal, match, ok } from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import net from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import tls from "node:tls";
import { Credentials } from "./credentials.ts";
import { handshakeLimits, Handshakes } from "./handshakes.ts";
import type { HandshakeLimits } from "./handshakes.ts";
import { RefusalLog } from "./refusal-log.ts";
import { logLines } from "./testing/lines.ts";
import type { Line } from "./testing/lines.ts";
import { TestAuthority } from "./testing/test-authority.ts";
import { tlsOptions } from "./testing/tls-options.ts";

const folder = mkdtempSync(join(tmpdir(), "quorate-tls-"));
const closers: (() => void)[] = [];
after(() => {
  closers.forEach((close) => close());
  rmSync(folder, { recursive: true });
});
const authority = new TestAuthority(folder);
const own = authority.issue("member", { hosts: ["127.0.0.1"] });

interface Listening {
  readonly port: number;
  readonly handshakes: Handshakes;
  readonly lines: Line[];
}

async function listen(limits: Partial<HandshakeLimits>): Promise<Listening> {
  const { logger, lines } = logLines();
  const credentials = new Credentials(tlsOptions({ use: "client", own }), logger);
  credentials.load();
  const refusals = new RefusalLog("client", logger);
  const handshakes = new Handshakes(credentials, refusals, { ...handshakeLimits, ...limits });
  const server = net.createServer((socket) => handshakes.accept(socket, (good) => good.pipe(good)));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  closers.push(() => {
    server.close();
    handshakes.destroy();
  });
  return { port: (server.address() as net.AddressInfo).port, handshakes, lines };
}

function silent(port: number): net.Socket {
  const socket = net.connect(port, "127.0.0.1");
  socket.on("error", () => undefined);
  socket.resume();
  closers.push(() => socket.destroy());
  return socket;
}

function handshake(port: number): Promise<boolean> {
  const ca = readFileSync(authority.file);
  const socket = tls.connect({ host: "127.0.0.1", port, ca });
  return new Promise((resolve) => {
    socket.on("secureConnect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.on("error", () => resolve(false));
    socket.on("close", () => resolve(false));
  });
}

async function until(what: () => boolean): Promise<void> {
  while (!what()) await new Promise((resolve) => setTimeout(resolve, 5));
}

test("a handshake that never begins, and one that stops in its middle, are closed", async () => {
  const { port, lines, handshakes } = await listen({ timeoutMs: 100 });
  const nothing = silent(port);
  const half = silent(port);
  // A record that promises a ClientHello of 512 bytes, and the first of them.
  half.write(Buffer.from([0x16, 0x03, 0x01, 0x02, 0x00, 0x01]));
  await Promise.all([once(nothing, "close"), once(half, "close")]);
  await until(() => handshakes.running === 0);
  match(String(lines[0]?.["error"]), /^no TLS handshake within 100 ms$/);
});

test("past the number of handshakes of an address a connection is closed at once", async () => {
  const { port, lines, handshakes } = await listen({ perAddressMax: 2 });
  const first = silent(port);
  silent(port);
  await until(() => handshakes.running === 2);
  equal(await handshake(port), false);
  equal(lines[0]?.["error"], "too many TLS handshakes at a time");
  first.destroy();
  await until(() => handshakes.running === 1);
  ok(await handshake(port));
});

test("past the number of all handshakes too, and finished ones hold no place", async () => {
  const { port, handshakes } = await listen({ handshakesMax: 2, perAddressMax: 2 });
  for (let at = 0; at < 5; at += 1) ok(await handshake(port));
  const sockets = [silent(port), silent(port)];
  await until(() => handshakes.running === 2);
  equal(await handshake(port), false);
  for (const socket of sockets) socket.destroy();
  await until(() => handshakes.running === 0);
  ok(await handshake(port));
});

test("the limits in production", () => {
  equal(handshakeLimits.timeoutMs, 10_000);
  equal(handshakeLimits.handshakesMax, 256);
  equal(handshakeLimits.perAddressMax, 64);
});

test("the same refusal from the same address is said once in a while, not each time", () => {
  const { logger, lines } = logLines();
  const refusals = new RefusalLog("client", logger);
  for (let at = 0; at < 100; at += 1) refusals.incoming("192.0.2.1", "no");
  refusals.incoming("192.0.2.2", "no");
  equal(lines.length, 2);
  equal(refusals.count, 101);
});
