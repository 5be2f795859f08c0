// The HTTP/1.1 server of a port, without a socket of its own: connections are given to it.
import http from "node:http";
import type { Duplex } from "node:stream";

import { headerBytesMax } from "../member-limits.ts";

export type Handler = (request: http.IncomingMessage, response: http.ServerResponse) => void;

/** For the headers of a request, from its first byte or from the one before. */
const headersTimeoutMs = 10_000;
const checkIntervalMs = 1000;
/** etcd's never closes an idle connection; a client's pool should not lose one in the middle of work. */
const keepAliveTimeoutMs = 300_000;

/** Requests that leave HTTP behind. */
export interface Upgrades {
  /** Whoever asks for an upgrade and is not meant here sends a request like any other. */
  upgrades(request: http.IncomingMessage): boolean;
  upgrade(request: http.IncomingMessage, socket: Duplex, head: Buffer): void;
}

/** `upgrades`: null: none are taken. */
export function makeHttpServer(
  handler: Handler,
  timeoutMs: number = headersTimeoutMs,
  upgrades: Upgrades | null = null,
): http.Server {
  const server = http.createServer({
    headersTimeout: timeoutMs,
    connectionsCheckingInterval: Math.min(checkIntervalMs, timeoutMs),
    keepAliveTimeout: keepAliveTimeoutMs,
    maxHeaderSize: headerBytesMax,
    // Of whole requests: the router sees to it (body-timeout.ts), because a stream's body may last.
    requestTimeout: 0,
    shouldUpgradeCallback: (request) => upgrades?.upgrades(request) ?? false,
  });
  server.on("request", handler);
  server.on("clientError", refuse);
  server.on("upgrade", (request, socket, head) => upgrades?.upgrade(request, socket, head));
  // Node begins to watch its timeouts when it listens, which this server never does.
  server.emit("listening");
  return server;
}

/** In the words of Go's server. */
function refuse(error: NodeJS.ErrnoException, socket: Duplex): void {
  const status = statusOf(error.code ?? "");
  if (!socket.writable || status === null) {
    socket.destroy();
    return;
  }
  const text = `${status} ${http.STATUS_CODES[status]}`;
  const headers = "Content-Type: text/plain; charset=utf-8\r\nConnection: close";
  socket.end(`HTTP/1.1 ${text}\r\n${headers}\r\n\r\n${text}`);
}

/** Null: nobody is there to be told. */
function statusOf(code: string): number | null {
  if (code === "HPE_HEADER_OVERFLOW") return 431;
  return code.startsWith("HPE_") ? 400 : null;
}
