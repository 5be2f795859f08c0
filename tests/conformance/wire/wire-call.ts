// One gRPC call on one HTTP/2 stream, from the client's side: bytes out, messages in, and how it ended.
// Written on node:http2 alone, so that what it sees of a server does not depend on Quorate's own wire.
import http2 from "node:http2";
import type { ClientHttp2Stream, IncomingHttpHeaders } from "node:http2";

/** How a call ended. */
export interface CallEnd {
  /** The gRPC status; -1: the stream ended without one. */
  readonly code: number;
  readonly text: string;
  readonly httpStatus: number;
  readonly headers: IncomingHttpHeaders;
}

const prefixBytes = 5;

/** A message as gRPC frames it on a stream. */
export function framed(message: Uint8Array, compressed: boolean = false): Buffer {
  const prefix = Buffer.alloc(prefixBytes);
  prefix[0] = compressed ? 1 : 0;
  prefix.writeUInt32BE(message.length, 1);
  return Buffer.concat([prefix, message]);
}

export class WireCall {
  readonly #stream: ClientHttp2Stream;
  readonly #messages: Uint8Array[];
  readonly #waiting: (() => void)[];
  #pending: Buffer;
  #headers: IncomingHttpHeaders;
  #failure: string;
  #end: CallEnd | null;

  constructor(stream: ClientHttp2Stream) {
    this.#stream = stream;
    this.#messages = [];
    this.#waiting = [];
    this.#pending = Buffer.alloc(0);
    this.#headers = {};
    this.#failure = "";
    this.#end = null;
    stream.on("response", (headers) => (this.#headers = { ...this.#headers, ...headers }));
    stream.on("trailers", (headers) => (this.#headers = { ...this.#headers, ...headers }));
    stream.on("data", (chunk: Buffer) => this.#onData(chunk));
    // The server's end is the call's: a client then has nothing more to say either.
    stream.on("end", () => stream.end());
    stream.on("error", (error) => (this.#failure = error.message));
    stream.on("close", () => this.#onClose());
  }

  /** Bytes as they are: `framed` makes a message of them. */
  write(bytes: Uint8Array): void {
    if (!this.#stream.destroyed) this.#stream.write(bytes);
  }

  /** No more from this side. */
  halfClose(): void {
    this.#stream.end();
  }

  cancel(): void {
    this.#stream.close(http2.constants.NGHTTP2_CANCEL);
  }

  /** Reading stops until `resume`: what a client does that falls behind. */
  pause(): void {
    this.#stream.pause();
  }

  resume(): void {
    this.#stream.resume();
  }

  /** The next message; null: the call has ended and none is left. */
  async next(timeoutMs: number): Promise<Uint8Array | null> {
    await this.#until(timeoutMs, () => this.#messages.length > 0 || this.#end !== null);
    return this.#messages.shift() ?? null;
  }

  /** How many messages have come that nobody has taken. */
  get arrived(): number {
    return this.#messages.length;
  }

  get open(): boolean {
    return this.#end === null;
  }

  async ended(timeoutMs: number): Promise<CallEnd> {
    await this.#until(timeoutMs, () => this.#end !== null);
    return this.#end!;
  }

  async #until(timeoutMs: number, holds: () => boolean): Promise<void> {
    if (holds()) return;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const wake = (): void => {
      if (holds()) resolve();
    };
    const timer = setTimeout(
      () => reject(new Error(`nothing came on the stream within ${timeoutMs} ms`)),
      timeoutMs,
    );
    this.#waiting.push(wake);
    try {
      await promise;
    } finally {
      clearTimeout(timer);
      this.#waiting.splice(this.#waiting.indexOf(wake), 1);
    }
  }

  #onData(chunk: Buffer): void {
    let bytes = Buffer.concat([this.#pending, chunk]);
    while (bytes.length >= prefixBytes) {
      const end = prefixBytes + bytes.readUInt32BE(1);
      if (bytes.length < end) break;
      this.#messages.push(bytes.subarray(prefixBytes, end));
      bytes = bytes.subarray(end);
    }
    this.#pending = bytes;
    for (const wake of [...this.#waiting]) wake();
  }

  #onClose(): void {
    const { "grpc-status": status, "grpc-message": message, ":status": http } = this.#headers;
    const known = typeof status === "string";
    const reset = this.#failure || `reset with code ${this.#stream.rstCode}`;
    this.#end = {
      code: known ? Number(status) : -1,
      text: known ? decodeText(typeof message === "string" ? message : "") : reset,
      httpStatus: Number(http ?? 0),
      headers: this.#headers,
    };
    for (const wake of [...this.#waiting]) wake();
  }
}

/** grpc-message is UTF-8 with percent escapes; what is no escape stays (gRPC over HTTP/2). */
function decodeText(text: string): string {
  const bytes = Buffer.from(
    text.replace(/%([0-9a-fA-F]{2})/g, (_, hex: string) =>
      String.fromCharCode(Number.parseInt(hex, 16)),
    ),
    "latin1",
  );
  return bytes.toString("utf8");
}
