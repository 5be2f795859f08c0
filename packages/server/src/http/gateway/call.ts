// Where the answer of a call through the gateway goes: the same sink that gRPC has, so that a service
// does not know the difference. A unary answer is one JSON object; a streamed one is a line for each
// message, sent at once.
import type { IncomingHttpHeaders } from "node:http2";
import { GrpcCode } from "@quorate/grpc";
import type { GrpcPeer, GrpcSink, ReplyBytes } from "@quorate/grpc";
import { Release } from "../../etcd/release.ts";
import type { CallAnswer } from "./answer.ts";
import { errorBody, errorFrame, httpStatusOf } from "./error-form.ts";
import { messageToJson } from "./json/to-json.ts";
import { CallKind } from "./routes.ts";
import type { Route } from "./routes.ts";

export interface CallOptions {
  readonly route: Route;
  readonly answer: CallAnswer;
  readonly release: Release;
  readonly replyBytes: ReplyBytes;
  readonly metadata: IncomingHttpHeaders;
  /** The client said that it reads trailers. */
  readonly wantsTrailers: boolean;
  /** Once, when the call has ended one way or the other. */
  readonly onEnded: (code: GrpcCode) => void;
}

/** A reply whose JSON would be longer than this is refused: V8's strings have a limit, and this is half. */
const replyBytesMax = 192 * 1024 * 1024;

export class GatewayCall implements GrpcSink {
  readonly #options: CallOptions;
  readonly #answer: CallAnswer;
  readonly metadata: IncomingHttpHeaders;
  /** Never a user by its certificate, whoever sent the request (CVE-2018-16886). */
  readonly peer: GrpcPeer;
  /** Of the unary answer, until it has left. */
  #replyBytes: number;
  #ended: boolean;
  onCancel: (() => void) | null;
  onDrain: (() => void) | null;
  /** The body has ended; the call goes on until the service ends it. */
  onHalfClose: (() => void) | null;

  constructor(options: CallOptions) {
    this.#options = options;
    this.#answer = options.answer;
    this.metadata = options.metadata;
    this.peer = { address: options.answer.address, commonName: null };
    this.#replyBytes = 0;
    this.#ended = false;
    this.onCancel = null;
    this.onDrain = null;
    this.onHalfClose = null;
    this.#answer.listen({
      drain: () => this.onDrain?.(),
      closed: () => this.cancel(),
      left: () => {
        this.#options.replyBytes.give(this.#replyBytes);
        this.#replyBytes = 0;
      },
    });
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** Bytes written that have not left. */
  get buffered(): number {
    return this.#answer.buffered;
  }

  get needsDrain(): boolean {
    return this.#answer.needsDrain;
  }

  reply(message: Uint8Array): void {
    if (this.#options.route.kind !== CallKind.Unary) {
      this.write(message);
      this.finish();
      return;
    }
    const json = this.#jsonOf(message);
    if (this.#ended || json === null) return;
    this.#end(GrpcCode.Ok);
    this.#replyBytes = json.length;
    this.#options.replyBytes.take(json.length);
    this.#answer.whole(json);
  }

  write(message: Uint8Array): boolean {
    if (this.#ended) return true;
    const json = this.#jsonOf(message);
    return json === null ? true : this.#answer.line(json);
  }

  finish(): void {
    if (this.#ended) return;
    this.#end(GrpcCode.Ok);
    this.#answer.finish();
  }

  /** As the service says it; etcd's gateway tells the trailers of such an answer. */
  fail(code: GrpcCode, text: string): void {
    if (this.#ended) return;
    if (this.#options.route.kind !== CallKind.Unary) {
      this.#failStream(code, text);
      return;
    }
    const { release, wantsTrailers } = this.#options;
    this.#failWhole(code, text, release === Release.V34 || wantsTrailers);
  }

  /** Before any service was asked: what the gateway itself says. */
  refuse(code: GrpcCode, text: string): void {
    if (this.#ended) return;
    if (this.#answer.begun) {
      this.#failStream(code, text);
    } else {
      this.#failWhole(code, text, false);
    }
  }

  /** What is still to come of the body is not waited for. */
  closeConnection(): void {
    this.#answer.closeConnection();
  }

  /** The client has gone. */
  cancel(): void {
    if (this.#ended) return;
    this.#end(GrpcCode.Canceled);
    this.onCancel?.();
  }

  /** The gateway itself ends the call: the client hears why, the service that it is over. */
  abort(code: GrpcCode, text: string): void {
    if (this.#ended) return;
    const { onCancel } = this;
    this.fail(code, text);
    onCancel?.();
  }

  /** The deadline has passed. */
  expire(): void {
    if (this.#ended) return;
    const { onCancel } = this;
    const { kind } = this.#options.route;
    if (kind === CallKind.Unary) this.refuse(GrpcCode.DeadlineExceeded, expiredText);
    else this.#failStream(GrpcCode.DeadlineExceeded, expiredText);
    onCancel?.();
  }

  #failWhole(code: GrpcCode, text: string, trailers: boolean): void {
    const { release } = this.#options;
    this.#end(code);
    const status = httpStatusOf(code, release);
    this.#answer.failWhole({ status, body: errorBody(code, text, release), trailers });
  }

  #failStream(code: GrpcCode, text: string): void {
    const { release } = this.#options;
    this.#end(code);
    this.#answer.failStream(httpStatusOf(code, release), errorFrame(code, text, release));
  }

  /** null after the call has been failed. */
  #jsonOf(message: Uint8Array): string | null {
    if (message.length > replyBytesMax) {
      const text = `grpc: received message larger than max (${message.length} vs. ${replyBytesMax})`;
      this.abort(GrpcCode.ResourceExhausted, text);
      return null;
    }
    try {
      return messageToJson(this.#options.route.output, message);
    } catch (error) {
      this.abort(GrpcCode.Internal, `grpc: failed to unmarshal the reply: ${String(error)}`);
      return null;
    }
  }

  #end(code: GrpcCode): void {
    this.#ended = true;
    this.#options.onEnded(code);
  }
}

const expiredText = "context deadline exceeded";
