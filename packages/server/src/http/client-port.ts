// The one client port (DESIGN.md 18): gRPC over HTTP/2 and HTTP/1.1 on the same socket, plain or behind
// TLS, told apart by the first four bytes, within ten seconds; past the limits a connection is closed at
// once.
import type http from "node:http";
import net from "node:net";
import type { GrpcServer } from "@quorate/grpc";
import type { Accepted, Handshakes } from "../tls/handshakes.ts";
import { makeHttpServer } from "./http-server.ts";
import type { Handler } from "./http-server.ts";
import type { Router } from "./router.ts";

const firstBytesTimeoutMs = 10_000;
/** Of silence, before the system asks whether the other side is there; ms. */
const keepAliveInitialDelay = 600_000;
const http2Preface = "PRI ";

export interface ClientPortLimits {
  readonly connectionsMax: number;
  readonly connectionsPerAddressMax: number;
  /** Of one loopback address: by a proxy on this machine everybody comes from there. */
  readonly connectionsFromLoopbackMax: number;
  /** For the first four bytes. */
  readonly firstBytesMs?: number;
}

/** What is spoken on a port; the other one's connections are closed. */
export const Speaks = { Both: 1, Grpc: 2, Http: 3 } as const;
export type Speaks = (typeof Speaks)[keyof typeof Speaks];

/**
 * What is offered by ALPN, the preferred one first. Who speaks HTTP/1.1 too is spoken to in it: of HTTP/2
 * there is gRPC alone here, and clients of gRPC offer nothing else.
 */
const protocols: Readonly<Record<Speaks, readonly string[]>> = {
  [Speaks.Both]: ["http/1.1", "h2"],
  [Speaks.Grpc]: ["h2"],
  [Speaks.Http]: ["http/1.1"],
};

export class ClientPort {
  readonly #grpc: GrpcServer;
  readonly #http: http.Server;
  readonly #limits: ClientPortLimits;
  readonly #handshakes: Handshakes | null;
  readonly #listeners: net.Server[];
  readonly #sockets: Set<net.Socket>;
  readonly #perAddress: Map<string, number>;
  /** Connections refused because a limit was reached. */
  refused: number;

  /** `handshakes`: for the ports that are bound for TLS; null: there are none. */
  constructor(
    grpc: GrpcServer,
    router: Pick<Router, "handle" | "upgrades" | "upgrade">,
    limits: ClientPortLimits,
    handshakes: Handshakes | null = null,
  ) {
    this.#grpc = grpc;
    const handler: Handler = (request, response) => router.handle(request, response);
    this.#http = makeHttpServer(handler, undefined, router);
    this.#limits = limits;
    this.#handshakes = handshakes;
    this.#listeners = [];
    this.#sockets = new Set();
    this.#perAddress = new Map();
    this.refused = 0;
  }

  bind(
    host: string,
    port: number,
    speaks: Speaks = Speaks.Both,
    secure: boolean = false,
  ): Promise<number> {
    // A machine that is gone without a word must not keep its place for ever.
    const options = { noDelay: true, keepAlive: true, keepAliveInitialDelay };
    const server = net.createServer(options, (socket) =>
      this.#onConnection(socket, speaks, secure),
    );
    this.#listeners.push(server);
    return new Promise((resolve, reject) => {
      server.once("error", reject);
      server.listen(port, host, () => {
        server.off("error", reject);
        server.on("error", () => undefined);
        resolve((server.address() as net.AddressInfo).port);
      });
    });
  }

  get connections(): number {
    return this.#sockets.size;
  }

  /** No new connections; those present are told to go away. */
  close(): void {
    for (const server of this.#listeners) {
      server.close();
    }
    this.#grpc.close();
    this.#http.closeIdleConnections();
  }

  destroy(): void {
    this.#grpc.destroy();
    for (const socket of this.#sockets) {
      socket.destroy();
    }
  }

  #onConnection(socket: net.Socket, speaks: Speaks, secure: boolean): void {
    const address = socket.remoteAddress ?? "";
    const count = this.#perAddress.get(address) ?? 0;
    const isFull = this.#sockets.size >= this.#limits.connectionsMax;
    if (isFull || count >= connectionsMaxOf(address, this.#limits)) {
      this.refused += 1;
      socket.destroy();
      return;
    }
    this.#sockets.add(socket);
    this.#perAddress.set(address, count + 1);
    socket.on("error", () => undefined);
    socket.on("close", () => this.#onClosed(socket, address));
    if (!secure) {
      this.#tellApart(socket, speaks, null);
    } else if (this.#handshakes === null) {
      socket.destroy();
    } else {
      const accepted: Accepted = (good, name) => this.#tellApart(good, speaks, name);
      this.#handshakes.accept(socket, accepted, protocols[speaks]);
    }
  }

  #onClosed(socket: net.Socket, address: string): void {
    this.#sockets.delete(socket);
    const count = (this.#perAddress.get(address) ?? 1) - 1;
    if (count === 0) {
      this.#perAddress.delete(address);
    } else {
      this.#perAddress.set(address, count);
    }
  }

  /** `commonName`: of the client's verified certificate; gRPC alone may take it for a user. */
  #tellApart(socket: net.Socket, speaks: Speaks, commonName: string | null): void {
    const timer = setTimeout(
      () => socket.destroy(),
      this.#limits.firstBytesMs ?? firstBytesTimeoutMs,
    );
    const onReadable = (): void => {
      const first = socket.read(http2Preface.length) as Buffer | null;
      if (first === null) {
        return; // fewer than four bytes yet, or the end
      }
      clearTimeout(timer);
      socket.off("readable", onReadable);
      socket.unshift(first);
      const isGrpc = first.toString("latin1") === http2Preface;
      if (speaks === (isGrpc ? Speaks.Http : Speaks.Grpc)) {
        socket.destroy();
      } else if (isGrpc) {
        this.#grpc.accept(socket, commonName);
      } else {
        this.#http.emit("connection", socket);
      }
    };
    socket.on("readable", onReadable);
    socket.on("close", () => clearTimeout(timer));
    socket.on("end", () => clearTimeout(timer));
  }
}

/** Exported for its test: what comes from elsewhere cannot be had on one machine. */
export function connectionsMaxOf(
  address: string,
  limits: Pick<ClientPortLimits, "connectionsPerAddressMax" | "connectionsFromLoopbackMax">,
): number {
  const isLoopback = address === "::1" || /^(?:::ffff:)?127\./.test(address);
  return isLoopback ? limits.connectionsFromLoopbackMax : limits.connectionsPerAddressMax;
}
