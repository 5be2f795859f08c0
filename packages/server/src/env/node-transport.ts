// Peer links over TCP or TLS. A link is one socket; its queue is bounded by the caller's budget, its end
// is told apart as P6 needs it: refused, unreachable, closed, failed.
import net from "node:net";
import { LinkEnd } from "@quorate/storage";
import type { Link, LinkEvents, Transport } from "@quorate/storage";
import { dialTls } from "../tls/dialling.ts";
import type { TlsSide } from "../tls/tls-side.ts";
import { handshakeText } from "../tls/handshake-text.ts";
import { splitPeerAddress } from "./peer-address.ts";
import type { PeerAddress } from "./peer-address.ts";

const connectTimeoutMs = 2000;
/** A send beyond this much unsent data is refused: the peer reads too slowly. */
const queuedBytesMax = 64 << 20;

export class NodeTransport implements Transport {
  readonly #listeners: net.Server[];
  readonly #links: Set<NodeLink>;
  readonly #tls: TlsSide | null;
  #accept: ((link: Link) => LinkEvents) | null;

  /** `tls`: for addresses with https; null: this member has no certificate of its own. */
  constructor(tls: TlsSide | null = null) {
    this.#tls = tls;
    this.#listeners = [];
    this.#links = new Set();
    this.#accept = null;
  }

  /** Binds a peer address; connections before `listen` was called are closed. */
  bind(host: string, port: number, secure: boolean = false): Promise<void> {
    const server = net.createServer({ noDelay: true }, (socket) => {
      if (secure) this.#onSecureConnection(socket);
      else this.#onConnection(socket);
    });
    this.#listeners.push(server);
    return new Promise((resolve, reject) => {
      server.once("error", reject);
      server.listen(port, host, () => {
        server.off("error", reject);
        server.on("error", () => undefined);
        resolve();
      });
    });
  }

  dial(address: string, events: LinkEvents): Link {
    const where = splitPeerAddress(address);
    const link = where.secure
      ? this.#dialTls(where, address, events)
      : new NodeLink(
          net.connect({ host: where.address, port: where.port, noDelay: true }),
          address,
          events,
          () => this.#links.delete(link),
        );
    this.#links.add(link);
    link.startConnectTimer();
    return link;
  }

  listen(accept: (link: Link) => LinkEvents): void {
    this.#accept = accept;
  }

  close(): void {
    for (const server of this.#listeners) {
      server.close();
    }
    this.#tls?.handshakes.destroy();
    for (const link of this.#links) {
      link.close();
    }
  }

  #dialTls(where: PeerAddress, address: string, events: LinkEvents): NodeLink {
    const { socket, refusal } = dialTls(where, this.#tls?.credentials ?? null);
    const refusals = this.#tls?.refusals;
    const onRefused = (reason: string): void => refusals?.dialled(address, reason);
    const onReset = (reason: string): void => refusals?.reset(address, reason);
    const link: NodeLink = new NodeLink(socket, address, events, () => this.#links.delete(link), {
      refusal,
      onRefused,
      onReset,
    });
    return link;
  }

  #onSecureConnection(socket: net.Socket): void {
    if (this.#tls === null || this.#accept === null) {
      socket.destroy();
      return;
    }
    this.#tls.handshakes.accept(socket, (accepted) => this.#onConnection(accepted));
  }

  #onConnection(socket: net.Socket): void {
    const accept = this.#accept;
    if (accept === null) {
      socket.destroy();
      return;
    }
    const remote = `${socket.remoteAddress ?? "?"}:${socket.remotePort ?? 0}`;
    const link = new NodeLink(socket, remote, null, () => this.#links.delete(link));
    this.#links.add(link);
    link.attach(accept(link));
  }
}

/** What a dial with TLS waits for, before its link is open. */
interface Proof {
  /** Null: the other side is who it must be. */
  refusal(): string | null;
  /** It is not, or there was no handshake. */
  onRefused(reason: string): void;
  /** It ended the connection before there was one. */
  onReset(reason: string): void;
}

class NodeLink implements Link {
  readonly remote: string;
  readonly #socket: net.Socket;
  #events: LinkEvents | null;
  #end: LinkEnd;
  #connected: boolean;
  #timer: NodeJS.Timeout | null;
  /** Null: none is waited for, or it was given. */
  #proof: Proof | null;

  constructor(
    socket: net.Socket,
    remote: string,
    events: LinkEvents | null,
    onClosed: () => void,
    proof: Proof | null = null,
  ) {
    this.remote = remote;
    this.#socket = socket;
    this.#events = events;
    this.#end = LinkEnd.Closed;
    this.#connected = events === null;
    this.#timer = null;
    this.#proof = proof;
    socket.on("connect", () => this.#onConnect());
    if (proof !== null) socket.on("secureConnect", () => this.#onProof(proof));
    socket.on("data", (bytes) => this.#events?.onBytes(bytes));
    socket.on("drain", () => this.#events?.onDrain());
    socket.on("error", (error: NodeJS.ErrnoException) => this.#onError(error));
    socket.on("end", () => socket.destroy());
    socket.on("close", () => {
      this.#stopTimer();
      onClosed();
      this.#events?.onEnd(this.#end);
      this.#events = null;
    });
  }

  attach(events: LinkEvents): void {
    this.#events = events;
  }

  startConnectTimer(): void {
    this.#timer = setTimeout(() => {
      this.#end = LinkEnd.Unreachable;
      this.#socket.destroy();
    }, connectTimeoutMs);
  }

  get queuedBytes(): number {
    return this.#socket.writableLength;
  }

  send(bytes: Uint8Array): boolean {
    if (this.#socket.destroyed || this.#socket.writableLength + bytes.length > queuedBytesMax) {
      return false;
    }
    this.#socket.write(bytes);
    return true;
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  close(): void {
    if (!this.#socket.destroyed) {
      this.#end = LinkEnd.Local;
      this.#socket.destroySoon();
    }
  }

  #onConnect(): void {
    this.#connected = true;
    this.#stopTimer();
    if (this.#proof === null) this.#events?.onOpen();
  }

  #onProof(proof: Proof): void {
    const why = proof.refusal();
    this.#proof = null;
    if (why === null) {
      this.#events?.onOpen();
      return;
    }
    proof.onRefused(why);
    this.#end = LinkEnd.Failed;
    this.#socket.destroy();
  }

  #onError(error: NodeJS.ErrnoException): void {
    if (this.#connected && this.#proof !== null) {
      const text = handshakeText(error);
      if (error.code === "ECONNRESET") this.#proof.onReset(text);
      else this.#proof.onRefused(text);
    }
    this.#end = this.#connected ? LinkEnd.Failed : dialEndOf(error.code);
  }

  #stopTimer(): void {
    if (this.#timer !== null) {
      clearTimeout(this.#timer);
      this.#timer = null;
    }
  }
}

/** How a dial that did not connect ended. A dying process's kernel resets: somebody was there. */
function dialEndOf(code: string | undefined): LinkEnd {
  switch (code) {
    case "ECONNREFUSED":
      return LinkEnd.Refused;
    case "ECONNRESET":
    case "ECONNABORTED":
    case "EPIPE":
      return LinkEnd.Failed;
    default:
      return LinkEnd.Unreachable;
  }
}
