// TLS on connections that came in: the handshake within its time and in bounded number (CVE-2026-73500),
// then the judgement of who is there (verify.ts). What is refused is closed, and the log says why.
import type { Socket } from "node:net";
import tls from "node:tls";
import type { TLSSocket } from "node:tls";
import { addressRefusal } from "./client-address.ts";
import type { Credentials } from "./credentials.ts";
import { handshakeText } from "./handshake-text.ts";
import { plainAddress } from "./ip-address.ts";
import type { RefusalLog } from "./refusal-log.ts";
import { judge } from "./verify.ts";

export interface HandshakeLimits {
  /** Until the other side is accepted. */
  readonly timeoutMs: number;
  /** At a time. */
  readonly handshakesMax: number;
  readonly perAddressMax: number;
}

export const handshakeLimits: HandshakeLimits = {
  timeoutMs: 10_000,
  handshakesMax: 256,
  perAddressMax: 64,
};

/** `commonName`: of a user, by a verified certificate; null where none was asked for. */
export type Accepted = (socket: TLSSocket, commonName: string | null) => void;

interface Handshake {
  readonly raw: Socket;
  readonly address: string;
  readonly accepted: Accepted;
  readonly timer: NodeJS.Timeout;
}

export class Handshakes {
  readonly #credentials: Credentials;
  readonly #limits: HandshakeLimits;
  /** By what they offer. They never listen: connections are given to them. */
  readonly #servers: Map<string, tls.Server>;
  /** By the addresses and ports of both ends. */
  readonly #running: Map<string, Handshake>;
  readonly #perAddress: Map<string, number>;
  readonly #refusals: RefusalLog;

  constructor(
    credentials: Credentials,
    refusals: RefusalLog,
    limits: HandshakeLimits = handshakeLimits,
  ) {
    this.#credentials = credentials;
    this.#refusals = refusals;
    this.#limits = limits;
    this.#servers = new Map();
    this.#running = new Map();
    this.#perAddress = new Map();
    credentials.onChange = () => {
      for (const server of this.#servers.values()) server.setSecureContext(credentials.listening);
    };
  }

  get running(): number {
    return this.#running.size;
  }

  destroy(): void {
    for (const { raw } of this.#running.values()) raw.destroy();
  }

  /**
   * `accepted` is called when the other side may be spoken to; else the connection is closed. `protocols`:
   * for ALPN, the preferred one first; who offers none of them is refused, who says nothing of it is not.
   */
  accept(raw: Socket, accepted: Accepted, protocols: readonly string[] = []): void {
    if (!this.#credentials.loaded) {
      raw.destroy();
      return;
    }
    const address = plainAddress(raw.remoteAddress ?? "");
    const count = this.#perAddress.get(address) ?? 0;
    if (this.#running.size >= this.#limits.handshakesMax || count >= this.#limits.perAddressMax) {
      this.#refusals.incoming(address, "too many TLS handshakes at a time");
      raw.destroy();
      return;
    }
    const key = keyOf(raw);
    // Of a connection whose end is not told yet, although the other side has its port again.
    this.#drop(key);
    const timer = setTimeout(() => {
      this.#refuse(key, `no TLS handshake within ${this.#limits.timeoutMs} ms`);
    }, this.#limits.timeoutMs);
    this.#running.set(key, { raw, address, accepted, timer });
    this.#perAddress.set(address, count + 1);
    raw.on("error", () => undefined);
    raw.on("close", () => this.#end(key, raw));
    this.#serverFor(protocols).emit("connection", raw);
  }

  #serverFor(protocols: readonly string[]): tls.Server {
    const key = protocols.join();
    const server = this.#servers.get(key) ?? this.#makeServer(protocols);
    this.#servers.set(key, server);
    return server;
  }

  #makeServer(protocols: readonly string[]): tls.Server {
    const { listening, demands } = this.#credentials;
    const settings: tls.TlsOptions = {
      ...listening,
      requestCert: demands.certificate,
      // Judged in #judge: the reason of a refusal would be lost otherwise.
      rejectUnauthorized: false,
      handshakeTimeout: this.#limits.timeoutMs,
    };
    if (protocols.length > 0) {
      settings.ALPNCallback = ({ protocols: offered }) =>
        protocols.find((protocol) => offered.includes(protocol));
    }
    const server = tls.createServer(settings);
    server.on("secureConnection", (socket) => this.#judge(socket));
    server.on("tlsClientError", (error: NodeJS.ErrnoException, socket) => {
      this.#refuse(keyOf(socket), handshakeText(error));
      socket.destroy();
    });
    return server;
  }

  /** From the end of the handshake to the word of who is there. */
  #judge(socket: TLSSocket): void {
    socket.on("error", () => undefined);
    const key = keyOf(socket);
    const handshake = this.#running.get(key);
    if (handshake === undefined) {
      socket.destroy(); // its time was over
      return;
    }
    const { refusal, certificate, commonName } = judge(socket, this.#credentials.demands);
    if (refusal !== null) return this.#refuse(key, refusal);
    const { names, checkAddress } = this.#credentials.options;
    if (certificate === null || !checkAddress) {
      return this.#accept(key, socket, names && commonName !== "" ? commonName : null);
    }
    addressRefusal(certificate, handshake.address).then(
      (why) => {
        if (why === null) this.#accept(key, socket, null);
        else this.#refuse(key, why);
      },
      (error: unknown) => this.#refuse(key, `its address cannot be judged: ${String(error)}`),
    );
  }

  #accept(key: string, socket: TLSSocket, commonName: string | null): void {
    const handshake = this.#running.get(key);
    if (handshake === undefined || socket.destroyed) return;
    this.#end(key, handshake.raw);
    handshake.accepted(socket, commonName);
  }

  #refuse(key: string, why: string): void {
    const handshake = this.#running.get(key);
    if (handshake === undefined) return;
    this.#refusals.incoming(handshake.address, why);
    this.#drop(key);
  }

  #drop(key: string): void {
    const raw = this.#running.get(key)?.raw;
    if (raw === undefined) return;
    this.#end(key, raw);
    raw.destroy();
  }

  #end(key: string, raw: Socket): void {
    const handshake = this.#running.get(key);
    if (handshake?.raw !== raw) return;
    this.#running.delete(key);
    clearTimeout(handshake.timer);
    const { address } = handshake;
    const count = (this.#perAddress.get(address) ?? 1) - 1;
    if (count === 0) this.#perAddress.delete(address);
    else this.#perAddress.set(address, count);
  }
}

/** Both ends: one port of the other side may be connected to several of ours. */
function keyOf({ remoteAddress, remotePort, localAddress, localPort }: Socket): string {
  return [remoteAddress, remotePort, localAddress, localPort].join(" ");
}
