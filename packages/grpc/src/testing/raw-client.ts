// An HTTP/2 client that says whatever it is told to, frame by frame, for tests of what a server does then.
// It acknowledges nothing by itself, and keeps what it hears as frames.
import net from "node:net";

export const FrameType = {
  Data: 0,
  Headers: 1,
  Priority: 2,
  RstStream: 3,
  Settings: 4,
  Ping: 6,
  GoAway: 7,
  WindowUpdate: 8,
  Continuation: 9,
} as const;

export const Flag = { EndStream: 1, Ack: 1, EndHeaders: 4 } as const;

export interface Frame {
  readonly type: number;
  readonly flags: number;
  readonly stream: number;
  readonly payload: Buffer;
}

const frameHeaderBytes = 9;
const preface = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "latin1");

export function frame(type: number, flags: number, stream: number, payload: Uint8Array): Buffer {
  const bytes = Buffer.alloc(frameHeaderBytes + payload.length);
  bytes.writeUIntBE(payload.length, 0, 3);
  bytes[3] = type;
  bytes[4] = flags;
  bytes.writeUInt32BE(stream, 5);
  bytes.set(payload, frameHeaderBytes);
  return bytes;
}

/** One setting of a SETTINGS frame. */
export function setting(id: number, value: number): Buffer {
  const bytes = Buffer.alloc(6);
  bytes.writeUInt16BE(id, 0);
  bytes.writeUInt32BE(value, 2);
  return bytes;
}

export function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

export class RawClient {
  readonly socket: net.Socket;
  readonly frames: Frame[];
  #rest: Buffer;
  #isClosed: boolean;
  readonly #waiting: Set<() => void>;

  private constructor(socket: net.Socket) {
    this.socket = socket;
    this.frames = [];
    this.#rest = Buffer.alloc(0);
    this.#isClosed = false;
    this.#waiting = new Set();
    socket.on("data", (chunk: Buffer) => this.#onData(chunk));
    socket.on("error", () => undefined);
    socket.on("close", () => {
      this.#isClosed = true;
      this.#wake();
    });
  }

  /** `settings`: of the first SETTINGS frame; null: nothing is said at all. */
  static async connect(
    port: number,
    settings: Uint8Array | null = new Uint8Array(0),
  ): Promise<RawClient> {
    const socket = net.connect({ port, host: "127.0.0.1", noDelay: true });
    const client = new RawClient(socket);
    await new Promise<void>((resolve, reject) => {
      socket.once("connect", resolve);
      socket.once("error", reject);
    });
    if (settings !== null) {
      client.send(preface, frame(FrameType.Settings, 0, 0, settings));
    }
    return client;
  }

  send(...frames: readonly Uint8Array[]): void {
    if (!this.#isClosed) this.socket.write(Buffer.concat(frames));
  }

  get closed(): boolean {
    return this.#isClosed;
  }

  /** The code of the newest GOAWAY; -1: none came. */
  get goneWith(): number {
    return (
      this.frames.findLast(({ type }) => type === FrameType.GoAway)?.payload.readUInt32BE(4) ?? -1
    );
  }

  /** Until it is so, or the connection has ended. */
  async until(what: () => boolean): Promise<void> {
    while (!what() && !this.#isClosed) {
      await new Promise<void>((resolve) => this.#waiting.add(resolve));
    }
  }

  /** Sends pieces, without outrunning the socket, until they end or the connection does. */
  async flood(pieces: Iterable<Uint8Array>): Promise<number> {
    let sent = 0;
    for (const piece of pieces) {
      if (this.#isClosed || this.socket.destroyed) return sent;
      sent += 1;
      if (!this.socket.write(piece)) {
        await new Promise<void>((resolve) => {
          this.socket.once("drain", resolve);
          this.socket.once("close", () => resolve());
        });
      }
    }
    return sent;
  }

  destroy(): void {
    this.socket.destroy();
  }

  #onData(chunk: Buffer): void {
    let bytes = Buffer.concat([this.#rest, chunk]);
    while (bytes.length >= frameHeaderBytes) {
      const end = frameHeaderBytes + bytes.readUIntBE(0, 3);
      if (bytes.length < end) break;
      this.frames.push({
        type: bytes[3]!,
        flags: bytes[4]!,
        stream: bytes.readUInt32BE(5),
        payload: Buffer.from(bytes.subarray(frameHeaderBytes, end)),
      });
      bytes = bytes.subarray(end);
    }
    this.#rest = bytes;
    this.#wake();
  }

  #wake(): void {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const resume of waiting) resume();
  }
}
