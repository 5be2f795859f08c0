// The server side of gRPC behind a call interface of our own: a handler gets (method number, request
// bytes) and a sink. No promise, no generator per request. It stands on node:http2 for now
// (docs/adr: own HTTP/2 comes behind the same interface); everything a peer can grow is bounded here.
import http2 from "node:http2";
import type { Duplex } from "node:stream";
import { DeadlineTimer } from "./deadline-timer.ts";
import type { Deadline, Expiring } from "./deadline-wheel.ts";
import { parseGrpcTimeout } from "./grpc-timeout.ts";
import { KeepAlive, keepAliveDefaults } from "./keep-alive.ts";
import type { KeepAliveLimits } from "./keep-alive.ts";
import { openHttp2 } from "./opening.ts";
import { ReplyBytes } from "./reply-bytes.ts";
import { largeReplyBytes, UntakenReplies } from "./untaken-replies.ts";
import type { UntakenReply } from "./untaken-replies.ts";
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
  readonly limits?: Partial<GrpcLimits>;
}

/** Of all connections together. */
export interface GrpcLimits {
  /** Calls under way; past it a call is refused at once, with `busyText`. */
  readonly streamsMax: number;
  readonly busyText: string;
  readonly keepAlive: KeepAliveLimits;
  /** Whoever else answers clients may share it. */
  readonly replyBytes: ReplyBytes;
}

/** From one look at answers that nobody takes to the next. */
const sweepMs = 10_000;

/** Fields of a request's header, as nghttp2 counts them. */
export const headerFieldsMax = 128;

/** What all connections share. */
interface Shared {
  /** Calls under way. */
  calls: number;
  readonly replyBytes: ReplyBytes;
  readonly untaken: UntakenReplies;
  readonly deadlines: DeadlineTimer;
  handled(method: number, code: GrpcCode, elapsedMs: number): void;
}

/** A connection: who is at its other end, and what it has under way. */
class Connection {
  readonly peer: GrpcPeer;
  readonly shared: Shared;
  readonly socket: Duplex & { readonly bytesWritten?: number };
  keepAlive: KeepAlive | null;
  calls: number;

  constructor(peer: GrpcPeer, socket: Duplex, shared: Shared) {
    this.peer = peer;
    this.socket = socket;
    this.shared = shared;
    this.keepAlive = null;
    this.calls = 0;
  }

  opened(): void {
    this.calls += 1;
    this.shared.calls += 1;
  }

  closed(): void {
    this.calls -= 1;
    this.shared.calls -= 1;
  }
}

export class GrpcServer {
  readonly #options: GrpcServerOptions;
  readonly #limits: GrpcLimits;
  readonly #http: http2.Http2Server;
  readonly #sessions: Map<http2.Http2Session, Connection>;
  /** The connection whose session is being made. */
  #accepting: { readonly socket: Duplex; readonly commonName: string | null } | null;
  readonly #shared: Shared;
  readonly #sweep: NodeJS.Timeout;
  /** Calls by method number and status code, for metrics. */
  onHandled: ((method: number, code: GrpcCode, elapsedMs: number) => void) | null;

  constructor(options: GrpcServerOptions) {
    this.#options = options;
    this.#limits = {
      streamsMax: Number.POSITIVE_INFINITY,
      busyText: "too many requests",
      keepAlive: keepAliveDefaults,
      replyBytes: new ReplyBytes(Number.POSITIVE_INFINITY),
      ...options.limits,
    };
    this.#sessions = new Map();
    this.#accepting = null;
    this.#shared = {
      calls: 0,
      replyBytes: this.#limits.replyBytes,
      untaken: new UntakenReplies(),
      deadlines: new DeadlineTimer(),
      handled: (method, code, elapsedMs) => this.onHandled?.(method, code, elapsedMs),
    };
    this.onHandled = null;
    this.#http = http2.createServer({
      maxSessionMemory: 64,
      maxHeaderListPairs: headerFieldsMax,
      settings: {
        maxConcurrentStreams: options.streamsPerConnectionMax,
        maxHeaderListSize: options.headerBytesMax,
        initialWindowSize: 1 << 20,
        enablePush: false,
      },
    });
    this.#http.on("session", (session) => this.#onSession(session));
    this.#http.on("stream", (stream, headers, _flags, raw) => {
      // Node enforces what it announces when the client has acknowledged it; not all do.
      if (headerListBytes(raw) <= options.headerBytesMax) this.#onStream(stream, headers);
      else refuseHeaders(stream);
    });
    this.#http.on("sessionError", () => undefined);
    this.#sweep = setInterval(() => {
      this.#shared.untaken.look(performance.now());
    }, sweepMs).unref();
  }

  /**
   * A connection whose first bytes were seen to be HTTP/2 (and put back). `commonName`: see GrpcPeer;
   * whoever accepts has verified it.
   */
  accept(socket: Duplex, commonName: string | null = null): void {
    openHttp2(socket, () => {
      // The session is made, and told to #onSession, before emit returns.
      this.#accepting = { socket, commonName };
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
    clearInterval(this.#sweep);
    for (const session of this.#sessions.keys()) {
      session.destroy();
    }
  }

  get connections(): number {
    return this.#sessions.size;
  }

  /** Calls under way. */
  get calls(): number {
    return this.#shared.calls;
  }

  #onSession(session: http2.ServerHttp2Session): void {
    const { socket, commonName } = this.#accepting ?? { socket: session.socket, commonName: null };
    const peer = { address: session.socket.remoteAddress ?? "", commonName };
    const connection = new Connection(peer, socket, this.#shared);
    const { keepAlive } = this.#limits;
    connection.keepAlive = new KeepAlive(session, socket, keepAlive, () => connection.calls);
    this.#sessions.set(session, connection);
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
    const known = session === undefined ? undefined : this.#sessions.get(session);
    const connection = known ?? new Connection(goneAway, stream, this.#shared);
    const call = new Call(stream, headers, this.#options, connection);
    if (this.#shared.calls < this.#limits.streamsMax) call.start();
    else call.fail(GrpcCode.ResourceExhausted, this.#limits.busyText);
  }
}

/** As HTTP/2 counts them (RFC 9113, 6.5.2): names, values, and 32 bytes for each field. */
function headerListBytes(raw: readonly string[]): number {
  let bytes = 16 * raw.length;
  for (const text of raw) bytes += text.length;
  return bytes;
}

function refuseHeaders(stream: http2.ServerHttp2Stream): void {
  stream.on("error", () => undefined);
  stream.respond({ ":status": 431 }, { endStream: true });
}

/** Of a connection that has ended before its call began. */
const goneAway: GrpcPeer = { address: "", commonName: null };

function isGrpc(contentType: string | undefined): boolean {
  return contentType !== undefined && contentType.startsWith("application/grpc");
}

/** One call on one HTTP/2 stream. */
class Call implements GrpcSink, Expiring, UntakenReply {
  readonly #stream: http2.ServerHttp2Stream;
  readonly #options: GrpcServerOptions;
  readonly #connection: Connection;
  readonly #reader: MessageReader;
  readonly #startedMs: number;
  /** Null: it has none, or has ended. */
  #deadline: Deadline | null;
  readonly metadata: http2.IncomingHttpHeaders;
  readonly peer: GrpcPeer;
  #method: number;
  #messages: number;
  #headersSent: boolean;
  /** Of the unary answer, until it has left. */
  #replyBytes: number;
  #ended: boolean;
  onCancel: (() => void) | null;
  onDrain: (() => void) | null;
  onHalfClose: (() => void) | null;

  constructor(
    stream: http2.ServerHttp2Stream,
    headers: http2.IncomingHttpHeaders,
    options: GrpcServerOptions,
    connection: Connection,
  ) {
    this.#stream = stream;
    this.#options = options;
    this.#connection = connection;
    this.#reader = new MessageReader(options.messageBytesMax);
    this.#startedMs = performance.now();
    this.#deadline = null;
    this.metadata = headers;
    this.peer = connection.peer;
    this.#method = -1;
    this.#messages = 0;
    this.#headersSent = false;
    this.#replyBytes = 0;
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

  sent(): number {
    return this.#connection.socket.bytesWritten ?? 0;
  }

  letGo(): void {
    this.#connection.socket.destroy();
  }

  start(): void {
    const timeout = this.metadata["grpc-timeout"];
    if (typeof timeout === "string" && !this.#mayStart(timeout)) return;
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
    this.#connection.opened();
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
    this.#replyBytes = message.length;
    const { replyBytes, untaken } = this.#connection.shared;
    replyBytes.take(message.length);
    if (message.length >= largeReplyBytes) untaken.add(this, performance.now());
    this.#stream.end(frameMessage(message));
  }

  write(message: Uint8Array): boolean {
    if (this.#ended) {
      return true;
    }
    this.#sendHeaders();
    this.#connection.keepAlive?.sent();
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
    this.#over(code);
    if (!this.#stream.destroyed && !this.#stream.closed) {
      this.#connection.keepAlive?.sent();
      this.#stream.respond({ ...replyHeaders, ...status }, { endStream: true });
      this.#closeBehindAnswer();
    }
  }

  /** False: its timeout is not to be understood, or no time is left for it. */
  #mayStart(timeout: string): boolean {
    const timeoutMs = parseGrpcTimeout(timeout);
    if (timeoutMs === null) {
      // As grpc-go in etcd 3.4: what was wrong is not told.
      this.#over(GrpcCode.Internal);
      this.#stream.close(http2.constants.NGHTTP2_PROTOCOL_ERROR);
      return false;
    }
    if (timeoutMs < timeoutMsMin) {
      this.expire();
      return false;
    }
    const { deadlines } = this.#connection.shared;
    this.#deadline = deadlines.add(this, this.#startedMs + timeoutMs);
    return true;
  }

  /** What it has asked for may still come about: nobody is told that it has not. */
  expire(): void {
    this.#deadline = null;
    this.#abort(GrpcCode.DeadlineExceeded, "context deadline exceeded");
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
    const { replyBytes, untaken } = this.#connection.shared;
    replyBytes.give(this.#replyBytes);
    if (this.#replyBytes >= largeReplyBytes) untaken.delete(this);
    this.#replyBytes = 0;
    this.#connection.closed();
    if (!this.#ended) {
      this.#over(GrpcCode.Canceled);
      this.onCancel?.();
    }
  }

  #sendHeaders(): void {
    if (!this.#headersSent && !this.#stream.destroyed && !this.#stream.closed) {
      this.#headersSent = true;
      this.#connection.keepAlive?.sent();
      this.#stream.respond(replyHeaders, { waitForTrailers: true });
    }
  }

  #end(code: GrpcCode, trailers: Record<string, string>): void {
    this.#over(code);
    this.#stream.once("wantTrailers", () => {
      this.#stream.sendTrailers(trailers);
      this.#closeBehindAnswer();
    });
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

  #over(code: GrpcCode): void {
    const { shared } = this.#connection;
    this.#ended = true;
    if (this.#deadline !== null) shared.deadlines.remove(this.#deadline);
    this.#deadline = null;
    shared.handled(this.#method, code, performance.now() - this.#startedMs);
  }
}

/** Of a call with less, its client is not there any more when the answer is. */
const timeoutMsMin = 1;
const replyHeaders = { ":status": 200, "content-type": "application/grpc" };
const okTrailers = { "grpc-status": "0" };
