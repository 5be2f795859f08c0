// One call of Maintenance.Snapshot over HTTP/2 as any client makes it, that can also stop reading.
import { createHash } from "node:crypto";
import http2 from "node:http2";
import { fromBinary } from "@bufbuild/protobuf";
import { etcd } from "@quorate/proto";

const windowBytes = 65_535;

export class SnapshotCall {
  readonly blobs: Uint8Array[];
  readonly remaining: bigint[];
  /** gRPC's status and text when the call has ended; -1: the connection ended first. */
  readonly ended: Promise<{ readonly code: number; readonly text: string }>;
  readonly #session: http2.ClientHttp2Session;
  readonly #stream: http2.ClientHttp2Stream;
  #stopsReading: boolean;
  #rest: Buffer;

  /** `stopsReading`: at its first blob, as by `pause`. */
  constructor(address: string, stopsReading: boolean = false) {
    this.#stopsReading = stopsReading;
    this.blobs = [];
    this.remaining = [];
    this.#rest = Buffer.alloc(0);
    this.#session = http2.connect(`http://${address}`, {
      settings: { initialWindowSize: windowBytes },
    });
    this.#session.on("error", () => undefined);
    this.#stream = this.#session.request({
      ":method": "POST",
      ":path": "/etcdserverpb.Maintenance/Snapshot",
      "content-type": "application/grpc",
      te: "trailers",
    });
    this.#stream.on("error", () => undefined);
    this.#stream.on("data", (chunk: Buffer) => this.#take(chunk));
    this.ended = this.#whenEnded();
    this.#stream.end(Buffer.alloc(5));
  }

  /** Nothing is read from now on: the server may send what fits into the windows. */
  pause(): void {
    this.#stream.pause();
  }

  resume(): void {
    this.#stream.resume();
  }

  /** As a client that goes away. */
  cancel(): void {
    this.#stream.close(http2.constants.NGHTTP2_CANCEL);
    this.#session.destroy();
  }

  close(): void {
    this.#session.destroy();
  }

  /** Without the last blob. */
  get body(): Buffer {
    return Buffer.concat(this.blobs.slice(0, -1));
  }

  /** What is wrong with how it came; null: nothing. */
  problem(): string | null {
    const { body } = this;
    const digest = createHash("sha256").update(body).digest();
    if (!digest.equals(this.blobs.at(-1)!)) return "the last blob is not the body's SHA-256";
    if (body.length % 512 !== 0) return `a body of ${body.length} bytes`;
    let sent = 0;
    for (const [at, blob] of this.blobs.slice(0, -1).entries()) {
      sent += blob.length;
      if (blob.length > 32_768) return `a blob of ${blob.length} bytes`;
      if (this.remaining[at] !== BigInt(body.length - sent)) {
        return `${this.remaining[at]} said to remain after ${sent} of ${body.length}`;
      }
    }
    return this.remaining.at(-1) === 0n ? null : "something remains after the end";
  }

  #take(chunk: Buffer): void {
    let bytes = Buffer.concat([this.#rest, chunk]);
    while (bytes.length >= 5 && bytes.length >= 5 + bytes.readUInt32BE(1)) {
      const end = 5 + bytes.readUInt32BE(1);
      const message = fromBinary(etcd.SnapshotResponseSchema, bytes.subarray(5, end));
      this.blobs.push(message.blob);
      this.remaining.push(message.remainingBytes);
      bytes = bytes.subarray(end);
    }
    this.#rest = Buffer.from(bytes);
    if (!this.#stopsReading || this.blobs.length === 0) return;
    this.#stopsReading = false;
    this.pause();
  }

  #whenEnded(): Promise<{ readonly code: number; readonly text: string }> {
    let headers: http2.IncomingHttpHeaders = {};
    const keep = (more: http2.IncomingHttpHeaders): void => {
      headers = { ...headers, ...more };
    };
    this.#stream.on("response", keep);
    this.#stream.on("trailers", keep);
    return new Promise((resolve) => {
      this.#stream.on("close", () => {
        const code = Number(headers["grpc-status"] ?? -1);
        resolve({ code, text: decodeURIComponent(String(headers["grpc-message"] ?? "")) });
      });
    });
  }
}
