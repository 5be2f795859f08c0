// The client's side of a WebSocket on a plain socket, frame by frame: it sends what it is told, right or
// wrong, and keeps everything that comes.
import { createHash } from "node:crypto";
import net from "node:net";

export interface Handshake {
  readonly headers?: Readonly<Record<string, string>>;
}

/** A text, or how the server ended it: "close 1000", "end". */
export type Arrived = string;

export const Op = { Continuation: 0, Text: 1, Binary: 2, Close: 8, Ping: 9, Pong: 10 } as const;
export type Op = (typeof Op)[keyof typeof Op];

const key = "dGhlIHNhbXBsZSBub25jZQ==";
const mask = Buffer.from([0x37, 0xfa, 0x21, 0x3d]);
const answerTimeoutMs = 20_000;

export class WebSocketClient {
  /** Status line and headers of the answer to the handshake. */
  readonly head: readonly string[];
  readonly #socket: net.Socket;
  readonly #arrived: Arrived[];
  #waiting: (() => void)[];
  #bytes: Buffer;

  private constructor(socket: net.Socket, head: readonly string[], rest: Buffer) {
    this.head = head;
    this.#socket = socket;
    this.#arrived = [];
    this.#waiting = [];
    this.#bytes = Buffer.alloc(0);
    socket.on("data", (chunk: Buffer) => this.#onData(chunk));
    socket.on("close", () => this.#arrive("end"));
    this.#onData(rest);
  }

  static open(
    address: string,
    path: string,
    { headers = {} }: Handshake = {},
  ): Promise<WebSocketClient> {
    const [host, port] = address.split(":");
    const socket = net.connect(Number(port), host);
    const lines = [
      `GET ${path} HTTP/1.1`,
      `Host: ${address}`,
      "Connection: keep-alive, Upgrade",
      "Upgrade: websocket",
      "Sec-WebSocket-Version: 13",
      `Sec-WebSocket-Key: ${key}`,
      ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
    ];
    socket.write(`${lines.join("\r\n")}\r\n\r\n`);
    return new Promise((resolve, reject) => {
      let bytes = Buffer.alloc(0);
      const onData = (chunk: Buffer): void => {
        bytes = Buffer.concat([bytes, chunk]);
        const end = bytes.indexOf("\r\n\r\n");
        if (end < 0) return;
        socket.off("data", onData);
        const head = bytes.subarray(0, end).toString().split("\r\n");
        resolve(new WebSocketClient(socket, head, bytes.subarray(end + 4)));
      };
      socket.on("data", onData);
      socket.on("error", reject);
    });
  }

  /** What a server must answer to our key. */
  static get accept(): string {
    const guid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    return createHash("sha1")
      .update(key + guid)
      .digest("base64");
  }

  text(payload: string): void {
    this.frame(Op.Text, Buffer.from(payload));
  }

  /** Masked, up to 65,535 bytes. */
  frame(op: Op, payload: Uint8Array, { final = true }: { readonly final?: boolean } = {}): void {
    const { length } = payload;
    const head = Buffer.alloc(length < 126 ? 2 : 4);
    head[0] = (final ? 0x80 : 0) | op;
    head[1] = 0x80 | (length < 126 ? length : 126);
    if (head.length === 4) head.writeUInt16BE(length, 2);
    const masked = Buffer.alloc(length);
    for (let at = 0; at < length; at += 1) masked[at] = payload[at]! ^ mask[at % mask.length]!;
    this.bytes(Buffer.concat([head, mask, masked]));
  }

  /** As they are. */
  bytes(bytes: Uint8Array): void {
    this.#socket.write(bytes);
  }

  async next(): Promise<Arrived> {
    const { promise, reject } = Promise.withResolvers<never>();
    const timer = setTimeout(() => reject(new Error("nothing came")), answerTimeoutMs);
    try {
      while (this.#arrived.length === 0) {
        const came = new Promise<void>((resolve) => this.#waiting.push(resolve));
        await Promise.race([came, promise]);
      }
    } finally {
      clearTimeout(timer);
    }
    return this.#arrived.shift()!;
  }

  close(): void {
    this.#socket.destroy();
  }

  #onData(chunk: Buffer): void {
    this.#bytes = Buffer.concat([this.#bytes, chunk]);
    for (;;) {
      const bytes = this.#bytes;
      const short = bytes.length < 2 ? 0 : bytes[1]! & 0x7f;
      const headBytes = short < 126 ? 2 : short === 126 ? 4 : 10;
      if (bytes.length < headBytes) return;
      const length =
        short < 126
          ? short
          : short === 126
            ? bytes.readUInt16BE(2)
            : Number(bytes.readBigUInt64BE(2));
      if (bytes.length < headBytes + length) return;
      this.#arrive(textOf(bytes[0]!, bytes.subarray(headBytes, headBytes + length)));
      this.#bytes = bytes.subarray(headBytes + length);
    }
  }

  #arrive(one: Arrived): void {
    this.#arrived.push(one);
    for (const wake of this.#waiting.splice(0)) wake();
  }
}

function textOf(first: number, payload: Buffer): Arrived {
  const op = first & 0x0f;
  if ((first & 0xf0) !== 0x80) return `a frame that begins with ${first}`;
  if (op === Op.Text) return payload.toString();
  if (op === Op.Pong) return `pong ${payload.toString()}`;
  if (op !== Op.Close) return `a frame ${op}`;
  return payload.length === 0 ? "close" : `close ${payload.readUInt16BE(0)}`;
}
