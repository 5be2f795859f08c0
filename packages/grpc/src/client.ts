// The client side of unary gRPC calls, for the command line, tests and probes. One HTTP/2 connection
// per address, opened at the first call.
import http2 from "node:http2";
import { machineTls, secureOptions } from "./client-tls.ts";
import type { GrpcTls } from "./client-tls.ts";
import { decodeGrpcMessage, GrpcCode } from "./status.ts";
import { frameMessage, MessageReader } from "./message-frame.ts";

/** The outcome of a call; `message` is null unless code is Ok. */
export interface GrpcResult {
  readonly code: GrpcCode;
  readonly text: string;
  readonly message: Uint8Array | null;
  readonly trailers: http2.IncomingHttpHeaders;
}

const secureScheme = "https://";
const responseBytesMax = 1 << 30;

export class GrpcClient {
  readonly address: string;
  readonly #tls: GrpcTls;
  #session: http2.ClientHttp2Session | null;

  /** `address`: "host:port", or "https://host:port" for TLS. */
  constructor(address: string, tls: GrpcTls = machineTls) {
    this.address = address;
    this.#tls = tls;
    this.#session = null;
  }

  /** Never throws: what goes wrong is Unavailable or DeadlineExceeded with a text. */
  call(
    path: string,
    request: Uint8Array,
    timeoutMs: number,
    metadata: Readonly<Record<string, string>> = {},
  ): Promise<GrpcResult> {
    return new Promise((resolve) => {
      let message: Uint8Array | null = null;
      let trailers: http2.IncomingHttpHeaders = {};
      let failure = "";
      let timedOut = false;
      const stream = this.#connect().request({
        ":method": "POST",
        ":path": path,
        "content-type": "application/grpc",
        te: "trailers",
        "grpc-timeout": `${timeoutMs}m`,
        ...metadata,
      });
      const timer = setTimeout(() => {
        timedOut = true;
        stream.close(http2.constants.NGHTTP2_CANCEL);
      }, timeoutMs);
      const reader = new MessageReader(responseBytesMax);
      stream.on("response", (headers) => {
        trailers = headers;
      });
      stream.on("trailers", (headers) => {
        trailers = { ...trailers, ...headers };
      });
      stream.on("data", (chunk: Buffer) => {
        reader.push(chunk, (bytes) => {
          message = bytes;
        });
      });
      stream.on("error", (error) => {
        failure = error.message;
      });
      stream.on("close", () => {
        clearTimeout(timer);
        resolve(resultOf(trailers, message, failure, timedOut));
      });
      stream.end(frameMessage(request));
    });
  }

  close(): void {
    this.#session?.destroy();
    this.#session = null;
  }

  #connect(): http2.ClientHttp2Session {
    if (this.#session === null || this.#session.closed || this.#session.destroyed) {
      const session = this.address.startsWith(secureScheme)
        ? http2.connect(this.address, secureOptions(this.#tls))
        : http2.connect(`http://${this.address}`);
      session.on("error", () => undefined);
      session.unref();
      this.#session = session;
    }
    return this.#session;
  }
}

function resultOf(
  trailers: http2.IncomingHttpHeaders,
  message: Uint8Array | null,
  failure: string,
  timedOut: boolean,
): GrpcResult {
  const status = trailers["grpc-status"];
  if (typeof status !== "string") {
    return {
      code: timedOut ? GrpcCode.DeadlineExceeded : GrpcCode.Unavailable,
      text: timedOut ? "context deadline exceeded" : failure || "connection closed",
      message: null,
      trailers,
    };
  }
  const code = Number(status) as GrpcCode;
  const text = trailers["grpc-message"];
  return {
    code,
    text: typeof text === "string" ? decodeGrpcMessage(text) : "",
    message: code === GrpcCode.Ok ? message : null,
    trailers,
  };
}
