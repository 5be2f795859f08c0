// The server side of gRPC behind a call interface of our own: a handler gets (method number, request
// bytes) and a sink. No promise, no generator per request. It stands on node:http2 for now
// (docs/adr: own HTTP/2 comes behind the same interface); everything a peer can grow is bounded here.
import http2 from "node:http2";
import type { Duplex } from "node:stream";
import { openHttp2 } from "./opening.ts";
import { encodeGrpcMessage, GrpcCode } from "./status.ts";
import { FrameError, frameMessage, MessageReader } from "./message-frame.ts";

/** Where a call's answer goes. After `reply` of a unary call, `finish` or `fail`, nothing more. */
export interface GrpcSink {
  /** The one answer of a unary call: message and status OK. */
  reply(message: Uint8Array): void;
  /** One message of a streaming answer; false: the peer reads slowly, wait for `onDrain`. */
  write(message: Uint8Array): boolean;
  /** Status OK after streamed messages. */
  finish(): void;
  fail(code: GrpcCode, text: string, trailers?: Readonly<Record<string, string>>): void;
  /** The peer has gone or cancelled; called at most once, never after the call ended normally. */
  onCancel: (() => void) | null;
  onDrain: (() => void) | null;
  /** The client has said all it will say; its call goes on until the handler ends it. */
  onHalfClose: (() => void) | null;
  /** Bytes written that have not left. */
  readonly buffered: number;
  /** So much is buffered that `onDrain` will be called when all of it has left. */
  readonly needsDrain: boolean;
  readonly metadata: http2.IncomingHttpHeaders;
  readonly peer: GrpcPeer;
}

/** Who is at the other end of the connection itself, whatever the call says. */
export interface GrpcPeer {
  /** Its network address, without the port; empty when the connection had ended. */
  readonly address: string;
  /**
   * Of the certificate that the client has shown and that was verified; null where there is none, and
   * always for calls that somebody makes for others (a gateway): it is not theirs (CVE-2018-16886).
   */
  readonly commonName: string | null;
}

export interface GrpcHandler {
  /** The only message of a unary call, or the next one of a client stream. */
  onMessage(method: number, message: Uint8Array, sink: GrpcSink): void;
  /** Asked before anything is read: null, or why the call is refused. */
  admit?(method: number): { readonly code: GrpcCode; readonly text: string } | null;
}

export interface GrpcServerOptions {
  /** Full method path ("/package.Service/Method") → method number of the handler. */
  readonly methods: ReadonlyMap<string, number>;
  readonly messageBytesMax: number;
  readonly streamsPerConnectionMax: number;
  readonly headerBytesMax: number;
  readonly handler: GrpcHandler;
}

export class GrpcServer {
  readonly #options: GrpcServerOptions;
  readonly #http: http2.Http2Server;
  /** And who is at the other end of each. */
  readonly #sessions: Map<http2.Http2Session, GrpcPeer>;
  /** Of the connection whose session is being made. */
  #accepting: string | null;
  /** Calls by method number and status code, for metrics. */
  onHandled: ((method: number, code: GrpcCode, elapsedMs: number) => void) | null;

  constructor(options: GrpcServerOptions) {
    this.#options = options;
    this.#sessions = new Map();
    this.#accepting = null;
    this.onHandled = null;
    this.#http = http2.createServer({
      maxSessionMemory: 64,
      maxHeaderListPairs: 128,
      settings: {
        maxConcurrentStreams: options.streamsPerConnectionMax,
        maxHeaderListSize: options.headerBytesMax,
        initialWindowSize: 1 << 20,
        enablePush: false,
      },
    });
    this.#http.on("session", (session) => this.#onSession(session));
    this.#http.on("stream", (stream, headers) => this.#onStream(stream, headers));
    this.#http.on("sessionError", () => undefined);
  }

  /**
   * A connection whose first bytes were seen to be HTTP/2 (and put back). `commonName`: see GrpcPeer;
   * whoever accepts has verified it.
   */
  accept(socket: Duplex, commonName: string | null = null): void {
    openHttp2(socket, () => {
      // The session is made, and told to #onSession, before emit returns.
      this.#accepting = commonName;
      this.#http.emit("connection", socket);
      this.#accepting = null;
    });
  }

  /** Tells every connection to go away; calls under way may finish. */
  close(): void {
    for (const session of this.#sessions.keys()) {
      session.close();
    }
  }

  destroy(): void {
    for (const session of this.#sessions.keys()) {
      session.destroy();
    }
  }

  get connections(): number {
    return this.#sessions.size;
  }

  #onSession(session: http2.ServerHttp2Session): void {
    const address = session.socket.remoteAddress ?? "";
    this.#sessions.set(session, { address, commonName: this.#accepting });
    session.setLocalWindowSize(16 << 20);
    session.on("error", () => undefined);
    session.on("close", () => this.#sessions.delete(session));
  }

  #onStream(stream: http2.ServerHttp2Stream, headers: http2.IncomingHttpHeaders): void {
    stream.on("error", () => undefined);
    if (headers[":method"] !== "POST" || !isGrpc(headers["content-type"])) {
      stream.respond({ ":status": 415 }, { endStream: true });
      return;
    }
    const { session } = stream;
    const peer = (session === undefined ? undefined : this.#sessions.get(session)) ?? goneAway;
    const call = new Call(stream, { headers, peer }, this.#options, (method, code, elapsedMs) =>
      this.onHandled?.(method, code, elapsedMs),
    );
    call.start();
  }
}

/** Of a connection that has ended before its call began. */
const goneAway: GrpcPeer = { address: "", commonName: null };

function isGrpc(contentType: string | undefined): boolean {
  return contentType !== undefined && contentType.startsWith("application/grpc");
}

/** One call on one HTTP/2 stream. */
class Call implements GrpcSink {
  readonly #stream: http2.ServerHttp2Stream;
  readonly #options: GrpcServerOptions;
  readonly #handled: (method: number, code: GrpcCode, elapsedMs: number) => void;
  readonly #reader: MessageReader;
  readonly #startedMs: number;
  readonly metadata: http2.IncomingHttpHeaders;
  readonly peer: GrpcPeer;
  #method: number;
  #messages: number;
  #headersSent: boolean;
  #ended: boolean;
  onCancel: (() => void) | null;
  onDrain: (() => void) | null;
  onHalfClose: (() => void) | null;

  constructor(
    stream: http2.ServerHttp2Stream,
    { headers, peer }: { headers: http2.IncomingHttpHeaders; peer: GrpcPeer },
    options: GrpcServerOptions,
    handled: (method: number, code: GrpcCode, elapsedMs: number) => void,
  ) {
    this.#stream = stream;
    this.#options = options;
    this.#handled = handled;
    this.#reader = new MessageReader(options.messageBytesMax);
    this.#startedMs = performance.now();
    this.metadata = headers;
    this.peer = peer;
    this.#method = -1;
    this.#messages = 0;
    this.#headersSent = false;
    this.#ended = false;
    this.onCancel = null;
    this.onDrain = null;
    this.onHalfClose = null;
  }

  get buffered(): number {
    return this.#stream.writableLength;
  }

  get needsDrain(): boolean {
    return this.#stream.writableNeedDrain;
  }

  start(): void {
    const path = this.metadata[":path"] ?? "";
    const method = this.#options.methods.get(path);
    if (method === undefined) {
      const [service = "", name = ""] = path.slice(1).split("/");
      this.fail(GrpcCode.Unimplemented, `unknown method ${name} for service ${service}`);
      return;
    }
    this.#method = method;
    const refusal = this.#options.handler.admit?.(method) ?? null;
    if (refusal !== null) {
      this.fail(refusal.code, refusal.text);
      return;
    }
    this.#stream.on("data", (chunk: Buffer) => this.#onData(chunk));
    this.#stream.on("end", () => this.#onEnd());
    this.#stream.on("close", () => this.#onClose());
    this.#stream.on("drain", () => this.onDrain?.());
  }

  reply(message: Uint8Array): void {
    if (this.#ended) {
      return;
    }
    this.#sendHeaders();
    this.#end(GrpcCode.Ok, okTrailers);
    this.#stream.end(frameMessage(message));
  }

  write(message: Uint8Array): boolean {
    if (this.#ended) {
      return true;
    }
    this.#sendHeaders();
    return this.#stream.write(frameMessage(message));
  }

  finish(): void {
    if (!this.#ended) {
      this.#sendHeaders();
      this.#end(GrpcCode.Ok, okTrailers);
      this.#stream.end();
    }
  }

  fail(code: GrpcCode, text: string, trailers: Readonly<Record<string, string>> = {}): void {
    if (this.#ended) {
      return;
    }
    const status = {
      "grpc-status": String(code),
      "grpc-message": encodeGrpcMessage(text),
      ...trailers,
    };
    if (this.#headersSent) {
      this.#end(code, status);
      this.#stream.end();
      return;
    }
    this.#ended = true;
    this.#count(code);
    if (!this.#stream.destroyed && !this.#stream.closed) {
      this.#stream.respond({ ...replyHeaders, ...status }, { endStream: true });
      this.#closeBehindAnswer();
    }
  }

  #onData(chunk: Buffer): void {
    const error = this.#reader.push(chunk, (message) => {
      this.#messages += 1;
      if (!this.#ended) {
        this.#options.handler.onMessage(this.#method, message, this);
      }
    });
    switch (error) {
      case null:
        return;
      case FrameError.TooLarge:
        this.#abort(
          GrpcCode.ResourceExhausted,
          `grpc: received message larger than max (limit ${this.#options.messageBytesMax})`,
        );
        return;
      default:
        this.#abort(GrpcCode.Unimplemented, "grpc: compressed messages are not supported");
    }
  }

  #onEnd(): void {
    if (this.#messages === 0 || this.#reader.partial) {
      this.#abort(GrpcCode.Internal, "grpc: the request ended before its message was complete");
    } else if (!this.#ended) {
      this.onHalfClose?.();
    }
  }

  /** What the handler did not end: it hears that it is over, if it has heard of it at all. */
  #abort(code: GrpcCode, text: string): void {
    const { onCancel } = this;
    const isOpen = !this.#ended;
    this.fail(code, text);
    if (isOpen) onCancel?.();
  }

  #onClose(): void {
    if (!this.#ended) {
      this.#ended = true;
      this.#count(GrpcCode.Canceled);
      this.onCancel?.();
    }
  }

  #sendHeaders(): void {
    if (!this.#headersSent && !this.#stream.destroyed && !this.#stream.closed) {
      this.#headersSent = true;
      this.#stream.respond(replyHeaders, { waitForTrailers: true });
    }
  }

  #end(code: GrpcCode, trailers: Record<string, string>): void {
    this.#ended = true;
    this.#stream.once("wantTrailers", () => {
      this.#stream.sendTrailers(trailers);
      this.#closeBehindAnswer();
    });
    this.#count(code);
  }

  /** A client that has not said all it will say need not go on: its stream counts as one until then. */
  #closeBehindAnswer(): void {
    if (this.#stream.readableEnded) return;
    setImmediate(() => {
      if (!this.#stream.readableEnded && !this.#stream.closed) {
        this.#stream.close(http2.constants.NGHTTP2_NO_ERROR);
      }
    });
  }

  #count(code: GrpcCode): void {
    this.#handled(this.#method, code, performance.now() - this.#startedMs);
  }
}

const replyHeaders = { ":status": 200, "content-type": "application/grpc" };
const okTrailers = { "grpc-status": "0" };
