// etcd's JSON gateway: a POST on /v3/… becomes a call of the same handler that gRPC calls have, and its
// answer JSON again. Nothing is written before the whole message was read and understood.
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { GrpcCode } from "@quorate/grpc";
import type { GrpcHandler, ReplyBytes } from "@quorate/grpc";
import { Release } from "../../etcd/release.ts";
import { HttpAnswer } from "./answer.ts";
import type { CallAnswer } from "./answer.ts";
import { httpBody } from "./body.ts";
import type { CallBody } from "./body.ts";
import { GatewayCall } from "./call.ts";
import { errorBody } from "./error-form.ts";
import { answer, answerError } from "../answer.ts";
import { boundBody } from "../body-timeout.ts";
import { acceptance } from "../websocket/handshake.ts";
import { WebSocket } from "../websocket/web-socket.ts";
import { BytesBudget } from "./growing-buffer.ts";
import { timeoutMsOf } from "./grpc-timeout.ts";
import { metadataOf } from "./metadata.ts";
import { jsonBytesPerMessageByte, readMessages } from "./read-messages.ts";
import { CallKind, routes } from "./routes.ts";
import type { Route } from "./routes.ts";
import { protocolOf, tokenOf, WebSocketCall } from "./web-socket-call.ts";

export interface GatewayOptions {
  readonly handler: GrpcHandler;
  /** Those of the gRPC server: what is not there yet is not there for the gateway either. */
  readonly methods: ReadonlyMap<string, number>;
  readonly messageBytesMax: number;
  readonly release: Release;
  /** Calls by method number and status code, for metrics. */
  readonly onHandled: (method: number, code: GrpcCode) => void;
  /** Shared with gRPC. */
  readonly replyBytes: ReplyBytes;
}

/** What a call is made of, whichever way it has come. */
interface Exchange {
  readonly body: CallBody;
  readonly answer: CallAnswer;
  readonly metadata: IncomingHttpHeaders;
  /** The Grpc-Timeout header. */
  readonly timeout: string | undefined;
  readonly wantsTrailers: boolean;
  readonly onEnded: () => void;
}

const notFoundText = "Not Found";
/** Of all bodies that are being gathered. */
const bodiesBytesMax = 256 * 1024 * 1024;

export class Gateway {
  readonly #options: GatewayOptions;
  readonly #budget: BytesBudget;

  constructor(options: GatewayOptions) {
    this.#options = options;
    this.#budget = new BytesBudget(bodiesBytesMax);
  }

  /** Bytes of bodies that are being gathered. */
  get bytesGathered(): number {
    return this.#budget.taken;
  }

  handle(path: string, request: IncomingMessage, response: ServerResponse): void {
    const route = routes.get(path);
    if (route === undefined) {
      this.#refuseRoute(response, 404, GrpcCode.NotFound, notFoundText);
    } else if (methodOf(request) !== "POST") {
      this.#refuseRoute(response, 405, GrpcCode.Unimplemented, "Method Not Allowed");
    } else {
      this.#call(route, {
        body: httpBody(request),
        answer: new HttpAnswer(response),
        metadata: metadataOf(request.headers),
        timeout: headerOf(request, "grpc-timeout"),
        wantsTrailers: /\btrailers\b/i.test(headerOf(request, "te") ?? ""),
        onEnded: () => boundBody(request),
      });
      if (route.kind !== CallKind.Bidi) boundBody(request);
    }
  }

  /** An upgrade to a WebSocket that may be; `head`: bytes that came behind the request. */
  upgrade(path: string, request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const { headers } = request;
    socket.write(acceptance(headers, protocolOf(headers)));
    const messageBytesMax = jsonBytesPerMessageByte * this.#options.messageBytesMax;
    const call = new WebSocketCall(
      new WebSocket(socket, messageBytesMax),
      request.socket.remoteAddress ?? "",
    );
    const route = routes.get(path);
    if (route === undefined) {
      call.open(head);
      call.whole(this.#noSuchPath);
      return;
    }
    const token = tokenOf(headers);
    this.#call(route, {
      body: call.body,
      answer: call,
      // etcd's proxy lets no other header through.
      metadata: token === "" ? {} : metadataOf({ authorization: token }),
      timeout: undefined,
      wantsTrailers: false,
      onEnded: () => undefined,
    });
    call.open(head);
  }

  get #noSuchPath(): string {
    const { release } = this.#options;
    return release === Release.V36
      ? errorBody(GrpcCode.NotFound, notFoundText, release)
      : notFoundText;
  }

  /** Text, and JSON with a status of its own (501 for a wrong method) since grpc-gateway 2. */
  #refuseRoute(response: ServerResponse, status: number, code: GrpcCode, text: string): void {
    if (this.#options.release === Release.V36) {
      const told = code === GrpcCode.Unimplemented ? 501 : status;
      answer(response, told, "application/json", errorBody(code, text, Release.V36));
    } else {
      answerError(response, status, text);
    }
  }

  #call(route: Route, exchange: Exchange): void {
    const { handler, methods, release, messageBytesMax, onHandled, replyBytes } = this.#options;
    const { body, timeout } = exchange;
    const method = methods.get(route.grpcPath);
    let deadline: NodeJS.Timeout | undefined;
    const call = new GatewayCall({
      ...exchange,
      route,
      release,
      replyBytes,
      onEnded: (code) => {
        clearTimeout(deadline);
        if (method !== undefined) onHandled(method, code);
        exchange.onEnded();
      },
    });
    const timeoutMs = timeoutMsOf(timeout);
    if (Number.isNaN(timeoutMs)) {
      call.refuse(GrpcCode.InvalidArgument, `invalid grpc-timeout: ${timeout}`);
      return;
    }
    if (timeoutMs !== null && timeoutMs < 1) {
      call.expire();
      return;
    }
    if (timeoutMs !== null) deadline = setTimeout(() => call.expire(), timeoutMs);
    const budget = this.#budget;
    readMessages({ route, body, call, budget, messageBytesMax }, (message) => {
      const refusal = method === undefined ? unknownMethod(route) : handler.admit?.(method);
      if (refusal) call.fail(refusal.code, refusal.text);
      else handler.onMessage(method!, message, call);
    });
  }
}

function unknownMethod({ grpcPath }: Route): { readonly code: GrpcCode; readonly text: string } {
  const [, service = "", name = ""] = grpcPath.split("/");
  return {
    code: GrpcCode.Unimplemented,
    text: `unknown method ${name} for service ${service}`,
  };
}

/** A form may say which method it means. */
function methodOf(request: IncomingMessage): string {
  const form = headerOf(request, "content-type") === "application/x-www-form-urlencoded";
  const override = form ? headerOf(request, "x-http-method-override") : undefined;
  return (override || (request.method ?? "")).toUpperCase();
}

function headerOf(request: IncomingMessage, name: string): string | undefined {
  const value = request.headers[name];
  return Array.isArray(value) ? value[0] : value;
}
