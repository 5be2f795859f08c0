// Peer links over TCP. A link is one socket; its queue is bounded by the caller's budget, its end is
// told apart as P6 needs it: refused, unreachable, closed, failed.
import net from "node:net";
import { LinkEnd } from "@quorate/storage";
import type { Link, LinkEvents, Transport } from "@quorate/storage";

const connectTimeoutMs = 2000;
/** A send beyond this much unsent data is refused: the peer reads too slowly. */
const queuedBytesMax = 64 << 20;

export class NodeTransport implements Transport {
  readonly #listeners: net.Server[];
  readonly #links: Set<NodeLink>;
  #accept: ((link: Link) => LinkEvents) | null;

  constructor() {
    this.#listeners = [];
    this.#links = new Set();
    this.#accept = null;
  }

  /** Binds a peer address; connections before `listen` was called are closed. */
  bind(host: string, port: number): Promise<void> {
    const server = net.createServer({ noDelay: true }, (socket) => this.#onConnection(socket));
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
    const at = address.lastIndexOf(":");
    const host = address.slice(0, at).replace(/^\[|\]$/g, "");
    const socket = net.connect({ host, port: Number(address.slice(at + 1)), noDelay: true });
    const link = new NodeLink(socket, address, events, () => this.#links.delete(link));
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
    for (const link of this.#links) {
      link.close();
    }
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

class NodeLink implements Link {
  readonly remote: string;
  readonly #socket: net.Socket;
  #events: LinkEvents | null;
  #end: LinkEnd;
  #connected: boolean;
  #timer: NodeJS.Timeout | null;

  constructor(socket: net.Socket, remote: string, events: LinkEvents | null, onClosed: () => void) {
    this.remote = remote;
    this.#socket = socket;
    this.#events = events;
    this.#end = LinkEnd.Closed;
    this.#connected = events === null;
    this.#timer = null;
    socket.on("connect", () => this.#onConnect());
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
    this.#events?.onOpen();
  }

  #onError(error: NodeJS.ErrnoException): void {
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
