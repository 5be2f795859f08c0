// A unary gRPC client cheap enough to stand beside the servers it measures: HTTP/2 frames written by
// hand on one socket, header blocks encoded once per method, replies only counted. It does not decode
// headers: a call succeeded when a message came before the end of its stream (gRPC errors carry none).
import net from "node:net";

const frameHeaderBytes = 9;
const { Data, Headers, RstStream, Settings, Ping, GoAway, WindowUpdate } = {
  Data: 0,
  Headers: 1,
  RstStream: 3,
  Settings: 4,
  Ping: 6,
  GoAway: 7,
  WindowUpdate: 8,
};
const endStream = 0x1;
const endHeaders = 0x4;
const ack = 0x1;
const settingHeaderTableSize = 1;
const settingInitialWindowSize = 4;
const windowMax = 2 ** 31 - 1;
/** The connection's receive window is topped up after this many bytes. */
const topUpBytes = 2 ** 29;

export type Finished = (ok: boolean, message: Uint8Array | null) => void;

interface PendingCall {
  readonly finished: Finished;
  message: Uint8Array | null;
}

/** A header block without any table state: static names, literal values, nothing indexed. */
export function headerBlock(path: string, authority: string): Buffer {
  const literal = (nameIndex: number, value: string): Buffer => {
    const bytes = Buffer.from(value, "latin1");
    const prefix = nameIndex < 15 ? [nameIndex] : [15, nameIndex - 15];
    return Buffer.concat([Buffer.from([...prefix, bytes.length]), bytes]);
  };
  const te = Buffer.from("te", "latin1");
  const trailers = Buffer.from("trailers", "latin1");
  return Buffer.concat([
    Buffer.from([0x83, 0x86]), // :method POST, :scheme http
    literal(4, path),
    literal(1, authority),
    literal(31, "application/grpc"),
    Buffer.concat([Buffer.from([0, te.length]), te, Buffer.from([trailers.length]), trailers]),
  ]);
}

export class H2Client {
  readonly #socket: net.Socket;
  readonly #calls: Map<number, PendingCall>;
  readonly #blocks: Map<string, Buffer>;
  readonly #authority: string;
  #nextStream: number;
  #out: Buffer[];
  #scheduled: boolean;
  /** Bytes we may still send on the connection. */
  #window: number;
  #waiting: Buffer[];
  #in: Buffer;
  #received: number;
  /** Every stream of a closed connection has failed. */
  closed: boolean;

  private constructor(socket: net.Socket, authority: string) {
    this.#socket = socket;
    this.#authority = authority;
    this.#calls = new Map();
    this.#blocks = new Map();
    this.#nextStream = 1;
    this.#out = [];
    this.#scheduled = false;
    this.#window = 65_535;
    this.#waiting = [];
    this.#in = Buffer.alloc(0);
    this.#received = 0;
    this.closed = false;
    socket.on("data", (chunk: Buffer) => this.#onData(chunk));
    socket.on("error", () => undefined);
    socket.on("close", () => this.#onClose());
    this.#write(Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "latin1"));
    const settings = Buffer.alloc(12);
    settings.writeUInt16BE(settingHeaderTableSize, 0);
    settings.writeUInt32BE(0, 2);
    settings.writeUInt16BE(settingInitialWindowSize, 6);
    settings.writeUInt32BE(windowMax, 8);
    this.#write(frame(Settings, 0, 0, settings));
    this.#write(windowUpdate(0, windowMax - 65_535));
  }

  static connect(address: string): Promise<H2Client> {
    const at = address.lastIndexOf(":");
    return new Promise((resolve, reject) => {
      const socket = net.connect({
        host: address.slice(0, at),
        port: Number(address.slice(at + 1)),
        noDelay: true,
      });
      socket.once("connect", () => {
        socket.off("error", reject);
        resolve(new H2Client(socket, address));
      });
      socket.once("error", reject);
    });
  }

  call(path: string, message: Uint8Array, finished: Finished): void {
    if (this.closed) {
      finished(false, null);
      return;
    }
    let block = this.#blocks.get(path);
    if (block === undefined) {
      block = headerBlock(path, this.#authority);
      this.#blocks.set(path, block);
    }
    const stream = this.#nextStream;
    this.#nextStream += 2;
    this.#calls.set(stream, { finished, message: null });
    const data = Buffer.allocUnsafe(frameHeaderBytes * 2 + block.length + 5 + message.length);
    writeFrameHeader(data, 0, block.length, Headers, endHeaders, stream);
    data.set(block, frameHeaderBytes);
    const at = frameHeaderBytes + block.length;
    writeFrameHeader(data, at, 5 + message.length, Data, endStream, stream);
    data[at + frameHeaderBytes] = 0;
    data.writeUInt32BE(message.length, at + frameHeaderBytes + 1);
    data.set(message, at + frameHeaderBytes + 5);
    this.#send(data, 5 + message.length);
  }

  close(): void {
    this.#socket.destroy();
  }

  /** Flow control counts the data bytes only; a call that does not fit waits whole. */
  #send(call: Buffer, dataBytes: number): void {
    if (this.#waiting.length > 0 || this.#window < dataBytes) {
      this.#waiting.push(call);
      return;
    }
    this.#window -= dataBytes;
    this.#write(call);
  }

  #sendWaiting(): void {
    while (this.#waiting.length > 0) {
      const call = this.#waiting[0]!;
      const headerBytes = frameHeaderBytes + call.readUIntBE(0, 3);
      const dataBytes = call.readUIntBE(headerBytes, 3);
      if (this.#window < dataBytes) {
        return;
      }
      this.#waiting.shift();
      this.#window -= dataBytes;
      this.#write(call);
    }
  }

  /** Everything of one turn leaves in one write. */
  #write(bytes: Buffer): void {
    this.#out.push(bytes);
    if (!this.#scheduled) {
      this.#scheduled = true;
      setImmediate(() => {
        this.#scheduled = false;
        const out = this.#out;
        this.#out = [];
        this.#socket.write(out.length === 1 ? out[0]! : Buffer.concat(out));
      });
    }
  }

  #onData(chunk: Buffer): void {
    const bytes = this.#in.length === 0 ? chunk : Buffer.concat([this.#in, chunk]);
    let at = 0;
    while (bytes.length - at >= frameHeaderBytes) {
      const length = bytes.readUIntBE(at, 3);
      if (bytes.length - at < frameHeaderBytes + length) {
        break;
      }
      const body = at + frameHeaderBytes;
      const stream = bytes.readUInt32BE(at + 5) & windowMax;
      this.#onFrame(bytes[at + 3]!, bytes[at + 4]!, stream, bytes.subarray(body, body + length));
      at = body + length;
    }
    this.#in = bytes.subarray(at);
    this.#received += chunk.length;
    if (this.#received > topUpBytes) {
      this.#write(windowUpdate(0, this.#received));
      this.#received = 0;
    }
  }

  #onFrame(type: number, flags: number, stream: number, body: Buffer): void {
    switch (type) {
      case Data: {
        const call = this.#calls.get(stream);
        if (call !== undefined) {
          const part = call.message === null ? body : Buffer.concat([call.message, body]);
          call.message = part;
        }
        break;
      }
      case Settings:
        if ((flags & ack) === 0) {
          this.#write(frame(Settings, ack, 0, Buffer.alloc(0)));
        }
        return;
      case Ping:
        if ((flags & ack) === 0) {
          this.#write(frame(Ping, ack, 0, Buffer.from(body)));
        }
        return;
      case WindowUpdate:
        if (stream === 0) {
          this.#window += body.readUInt32BE(0) & windowMax;
          this.#sendWaiting();
        }
        return;
      case GoAway:
        this.#socket.destroy();
        return;
      case RstStream:
        this.#finish(stream, false);
        return;
      default:
        break;
    }
    if ((flags & endStream) !== 0 && (type === Data || type === Headers)) {
      this.#finish(stream, true);
    }
  }

  #finish(stream: number, ended: boolean): void {
    const call = this.#calls.get(stream);
    if (call !== undefined) {
      this.#calls.delete(stream);
      const ok = ended && call.message !== null;
      call.finished(ok, ok ? call.message!.subarray(5) : null);
    }
  }

  #onClose(): void {
    this.closed = true;
    const calls = [...this.#calls.values()];
    this.#calls.clear();
    for (const call of calls) {
      call.finished(false, null);
    }
  }
}

function frame(type: number, flags: number, stream: number, body: Buffer): Buffer {
  const out = Buffer.allocUnsafe(frameHeaderBytes + body.length);
  writeFrameHeader(out, 0, body.length, type, flags, stream);
  out.set(body, frameHeaderBytes);
  return out;
}

function windowUpdate(stream: number, increment: number): Buffer {
  const body = Buffer.alloc(4);
  body.writeUInt32BE(increment, 0);
  return frame(WindowUpdate, 0, stream, body);
}

function writeFrameHeader(
  out: Buffer,
  at: number,
  length: number,
  type: number,
  flags: number,
  stream: number,
): void {
  out.writeUIntBE(length, at, 3);
  out[at + 3] = type;
  out[at + 4] = flags;
  out.writeUInt32BE(stream, at + 5);
}
