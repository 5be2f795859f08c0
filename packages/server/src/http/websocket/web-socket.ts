// One WebSocket on a socket that an HTTP request has asked for. It ends when either side closes it: the
// close is told, or answered, and the socket goes; a client that keeps its side open loses it.
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { FrameReader, Opcode } from "./frame-reader.ts";
import { closeFrame, frame } from "./frame-writer.ts";

const silentMsMax = 60_000;
/** For the client to end its side, when the last bytes have left. */
const closeTimeoutMs = 5000;
/** Answers to pings that a client lets lie before it has lost its connection. */
const pongsUnreadBytesMax = 65_536;

/** What an upgrade gives is a socket, and is not typed as one. */
type Carrier = Duplex & Partial<Pick<Socket, "setTimeout">>;

export interface WebSocketEvents {
  data(piece: Buffer): void;
  messageEnd(): void;
  /** All that was written has left. */
  drain(): void;
  /** Once: nothing comes any more, and nothing is sent. */
  closed(): void;
  /** The last: of what was sent, all that ever will has left. */
  gone(): void;
}

export class WebSocket {
  readonly #socket: Carrier;
  readonly #reader: FrameReader;
  #events: WebSocketEvents | null;

  /** `socket`: its handshake is done. Nothing is told before `open`. */
  constructor(socket: Carrier, messageBytesMax: number) {
    this.#socket = socket;
    this.#events = null;
    this.#reader = new FrameReader(messageBytesMax, {
      data: (piece) => this.#events?.data(piece),
      messageEnd: () => this.#events?.messageEnd(),
      ping: (payload) => this.#pong(payload),
      close: (code) => this.close(code),
      broken: (code) => this.close(code),
    });
  }

  /** `head`: what came behind the handshake already. */
  open(head: Buffer, events: WebSocketEvents): void {
    this.#events = events;
    const socket = this.#socket;
    socket.on("error", () => socket.destroy());
    socket.on("close", () => {
      this.#closed();
      events.gone();
    });
    socket.on("end", () => this.#closed());
    socket.on("drain", () => this.#events?.drain());
    socket.on("data", (chunk: Buffer) => this.#reader.push(chunk));
    if (head.length > 0) this.#reader.push(head);
  }

  get buffered(): number {
    return this.#socket.writableLength;
  }

  get needsDrain(): boolean {
    return this.#socket.writableNeedDrain;
  }

  /** False: the client reads slowly. */
  sendText(text: string): boolean {
    if (this.#events === null) return true;
    return this.#socket.write(frame(Opcode.Text, Buffer.from(text)));
  }

  /** From this side, or in answer to the client's. */
  close(code: number): void {
    if (this.#events === null) return;
    this.#reader.stop();
    this.#socket.end(closeFrame(code));
    this.#closed();
  }

  #pong(payload: Buffer): void {
    if (this.#events === null) return;
    if (this.buffered > pongsUnreadBytesMax) this.#socket.destroy();
    else this.#socket.write(frame(Opcode.Pong, payload));
  }

  #closed(): void {
    const events = this.#events;
    if (events === null) return;
    this.#events = null;
    const socket = this.#socket;
    // What the client still sends is read, so that its end is seen.
    socket.resume();
    // A client that takes nothing of what is left for it does not want it.
    socket.setTimeout?.(silentMsMax, () => socket.destroy());
    socket.end(() => {
      const timer = setTimeout(() => socket.destroy(), closeTimeoutMs).unref();
      socket.on("close", () => clearTimeout(timer));
    });
    events.closed();
  }
}
