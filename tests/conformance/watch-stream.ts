// A client's stream of watchers, on plain node:http2: requests go out as messages, responses come in
// decoded, and reading can be stopped for as long as a test wants.
import http2 from "node:http2";
import { decodeWatchResponse, encodeWatchRequest, WatchAsk, WatchRequest } from "@quorate/kv";
import type { WatchResponse } from "@quorate/kv";

const frameHeadBytes = 5;

export interface WatchStreamEvents {
  heard(response: WatchResponse): void;
  /** It has ended, with this text of the status or of the connection's error. */
  ended(why: string): void;
}

export class WatchStream {
  readonly #session: http2.ClientHttp2Session;
  readonly #stream: http2.ClientHttp2Stream;
  readonly #events: WatchStreamEvents;
  #unread: Buffer;
  #ended: boolean;

  constructor(address: string, events: WatchStreamEvents, metadata: Record<string, string> = {}) {
    this.#events = events;
    this.#unread = Buffer.alloc(0);
    this.#ended = false;
    this.#session = http2.connect(`http://${address}`);
    this.#session.on("error", (error) => this.#end(error.message));
    this.#stream = this.#session.request({
      ":method": "POST",
      ":path": "/etcdserverpb.Watch/Watch",
      "content-type": "application/grpc",
      te: "trailers",
      ...metadata,
    });
    this.#stream.on("error", (error) => this.#end(error.message));
    this.#stream.on("data", (chunk: Buffer) => this.#onData(chunk));
    this.#stream.on("trailers", (trailers) => this.#end(statusOf(trailers)));
    this.#stream.on("close", () => this.#end("closed"));
  }

  ask(fields: Partial<WatchRequest>): void {
    const message = encodeWatchRequest(new WatchRequest(fields));
    const head = Buffer.alloc(frameHeadBytes);
    head.writeUInt32BE(message.length, 1);
    this.#stream.write(Buffer.concat([head, message]));
  }

  /** All keys of a prefix, from a revision on (0: what is new). */
  watch(prefix: string, startRevision: number = 0, fields: Partial<WatchRequest> = {}): void {
    const key = Buffer.from(prefix);
    const rangeEnd = Buffer.from(key);
    rangeEnd[rangeEnd.length - 1]! += 1;
    this.ask({ ask: WatchAsk.Create, key, rangeEnd, startRevision, ...fields });
  }

  /** Says that nothing more will be asked. */
  halfClose(): void {
    this.#stream.end();
  }

  stopReading(): void {
    this.#stream.pause();
  }

  readOn(): void {
    this.#stream.resume();
  }

  close(): void {
    this.#ended = true;
    this.#session.destroy();
  }

  #onData(chunk: Buffer): void {
    this.#unread = this.#unread.length === 0 ? chunk : Buffer.concat([this.#unread, chunk]);
    for (;;) {
      if (this.#unread.length < frameHeadBytes) return;
      const end = frameHeadBytes + this.#unread.readUInt32BE(1);
      if (this.#unread.length < end) return;
      const response = decodeWatchResponse(this.#unread.subarray(frameHeadBytes, end));
      this.#unread = this.#unread.subarray(end);
      if (response === null) this.#end("bytes that are no watch response");
      else if (!this.#ended) this.#events.heard(response);
    }
  }

  #end(why: string): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#session.destroy();
    this.#events.ended(why);
  }
}

function statusOf(trailers: http2.IncomingHttpHeaders): string {
  return `${String(trailers["grpc-status"])} ${decodeURIComponent(String(trailers["grpc-message"] ?? ""))}`;
}
