// A typed client of one server: unary calls and streams by the descriptors of packages/proto, and raw
// calls for what no honest client sends. Remembers which methods were asked, so that the suite can
// say that none was forgotten.
import http2 from "node:http2";
import type { ClientHttp2Session } from "node:http2";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import type { DescMessage, DescMethod, MessageInitShape, MessageShape } from "@bufbuild/protobuf";
import { framed, WireCall } from "./wire-call.ts";
import type { CallEnd } from "./wire-call.ts";

export type Metadata = Readonly<Record<string, string>>;

/** A method with the types of its messages, as generated services list them. */
export type Method<I extends DescMessage, O extends DescMessage> = DescMethod & {
  readonly input: I;
  readonly output: O;
};

export interface Answer<O extends DescMessage> {
  readonly end: CallEnd;
  /** Null unless the status is OK. */
  readonly message: MessageShape<O> | null;
}

/** Far above what any answer needs on a loaded machine; never what a case asserts. */
export const answerTimeoutMs = 30_000;

export function pathOf(method: DescMethod): string {
  return `/${method.parent.typeName}/${method.name}`;
}

export class WireClient {
  /** "host:port". */
  readonly address: string;
  /** Paths of all methods that were called through any client. */
  static readonly asked: Set<string> = new Set();
  #session: ClientHttp2Session | null;

  constructor(address: string) {
    this.address = address;
    this.#session = null;
  }

  async unary<I extends DescMessage, O extends DescMessage>(
    method: Method<I, O>,
    request: MessageInitShape<I>,
    metadata: Metadata = {},
  ): Promise<Answer<O>> {
    const call = this.#open(method, metadata);
    call.write(framed(toBinary(method.input, create(method.input, request))));
    call.halfClose();
    const end = await call.ended(answerTimeoutMs);
    const bytes = await call.next(0);
    const message = end.code === 0 && bytes !== null ? fromBinary(method.output, bytes) : null;
    return { end, message };
  }

  stream<I extends DescMessage, O extends DescMessage>(
    method: Method<I, O>,
    metadata: Metadata = {},
  ): WireStream<I, O> {
    return new WireStream(method, this.#open(method, metadata));
  }

  /** Any path, any headers; the caller writes the bytes. */
  raw(path: string, headers: Metadata = {}): WireCall {
    const session = this.#connect();
    const all: Record<string, string> = { ...grpcHeaders, ":path": path, ...headers };
    for (const [name, value] of Object.entries(all)) if (value === "") delete all[name];
    return new WireCall(session.request(all, { endStream: false }));
  }

  close(): void {
    this.#session?.destroy();
    this.#session = null;
  }

  #open(method: DescMethod, metadata: Metadata): WireCall {
    const path = pathOf(method);
    WireClient.asked.add(path);
    return this.raw(path, metadata);
  }

  #connect(): ClientHttp2Session {
    if (this.#session === null || this.#session.closed || this.#session.destroyed) {
      const session = http2.connect(`http://${this.address}`, {
        settings: { enablePush: false, initialWindowSize: streamWindowBytes },
      });
      session.on("error", () => undefined);
      session.on("connect", () => session.setLocalWindowSize(2 * streamWindowBytes));
      this.#session = session;
    }
    return this.#session;
  }
}

const streamWindowBytes = 1 << 22;

const grpcHeaders = {
  ":method": "POST",
  "content-type": "application/grpc",
  te: "trailers",
};

/** A stream of messages in one or both directions. */
export class WireStream<I extends DescMessage, O extends DescMessage> {
  readonly call: WireCall;
  readonly #method: Method<I, O>;

  constructor(method: Method<I, O>, call: WireCall) {
    this.call = call;
    this.#method = method;
  }

  send(request: MessageInitShape<I>): void {
    this.call.write(framed(toBinary(this.#method.input, create(this.#method.input, request))));
  }

  /** The next message; an error when the stream has ended instead. */
  async next(timeoutMs: number = answerTimeoutMs): Promise<MessageShape<O>> {
    const bytes = await this.call.next(timeoutMs);
    if (bytes === null) {
      const { code, text } = await this.call.ended(answerTimeoutMs);
      throw new Error(`the stream ended with status ${code}: ${text}`);
    }
    return fromBinary(this.#method.output, bytes);
  }

  /** Every message up to the end, and how it ended. */
  async rest(): Promise<{ readonly messages: MessageShape<O>[]; readonly end: CallEnd }> {
    const messages: MessageShape<O>[] = [];
    for (;;) {
      const bytes = await this.call.next(answerTimeoutMs);
      if (bytes === null) return { messages, end: await this.call.ended(answerTimeoutMs) };
      messages.push(fromBinary(this.#method.output, bytes));
    }
  }
}
