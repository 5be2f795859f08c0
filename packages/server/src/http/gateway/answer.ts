// How the answer of a call through the gateway leaves: as the response of an HTTP request. (As messages of
// a WebSocket: web-socket-answer.ts.)
import type { ServerResponse } from "node:http";

export interface AnswerEvents {
  /** What was written has left. */
  drain(): void;
  /** Nothing can be said any more. */
  closed(): void;
  /** Of what was said, all that ever will has left. The last event. */
  left(): void;
}

export interface WholeFailure {
  readonly status: number;
  readonly body: string;
  /** To tell the trailer that etcd's gateway has. */
  readonly trailers: boolean;
}

/** Exactly one of `whole`, `finish`, `failWhole` and `failStream` is the last thing said. */
export interface CallAnswer {
  /** Whom it goes to; empty when that one has gone. */
  readonly address: string;
  readonly begun: boolean;
  /** Bytes written that have not left. */
  readonly buffered: number;
  readonly needsDrain: boolean;
  listen(events: AnswerEvents): void;
  /** The one answer of a unary call. */
  whole(json: string): void;
  /** One message of a stream; false: the client reads slowly. */
  line(json: string): boolean;
  finish(): void;
  failWhole(failure: WholeFailure): void;
  /** `frame`: the last line of the stream; `status`: if nothing was said before. */
  failStream(status: number, frame: string): void;
  /** What is still to come of the request is not waited for. */
  closeConnection(): void;
}

/** A client that takes nothing of its answer for so long does not want it: it loses its connection. */
const silentMsMax = 60_000;

const trailerName = "Grpc-Trailer-Content-Type";

export class HttpAnswer implements CallAnswer {
  readonly #response: ServerResponse;

  constructor(response: ServerResponse) {
    this.#response = response;
  }

  get address(): string {
    return this.#response.socket?.remoteAddress ?? "";
  }

  get begun(): boolean {
    return this.#response.headersSent;
  }

  get buffered(): number {
    return this.#response.writableLength;
  }

  get needsDrain(): boolean {
    return this.#response.writableNeedDrain;
  }

  listen(events: AnswerEvents): void {
    this.#response.on("error", () => undefined);
    this.#response.on("drain", () => events.drain());
    this.#response.on("close", () => {
      events.closed();
      events.left();
    });
  }

  whole(json: string): void {
    this.#head();
    this.#response.setTimeout(silentMsMax);
    this.#response.end(json);
  }

  line(json: string): boolean {
    this.#head();
    return this.#response.write(`{"result":${json}}\n`);
  }

  finish(): void {
    this.#head();
    // Chunked even without a message.
    this.#response.flushHeaders();
    this.#response.end();
  }

  failWhole({ status, body, trailers }: WholeFailure): void {
    if (trailers) this.#response.setHeader("Trailer", trailerName);
    this.#response.statusCode = status;
    this.#response.setHeader("Content-Type", "application/json");
    if (trailers) this.#response.addTrailers({ [trailerName]: "application/grpc" });
    this.#response.end(body);
  }

  failStream(status: number, frame: string): void {
    if (!this.begun) {
      this.#response.statusCode = status;
      this.#response.setHeader("Content-Type", "application/json");
      // Chunked, as what follows a stream's head always is.
      this.#response.flushHeaders();
    }
    this.#response.end(frame);
  }

  closeConnection(): void {
    if (!this.begun) this.#response.setHeader("Connection", "close");
  }

  #head(): void {
    if (this.begun) return;
    this.#response.statusCode = 200;
    this.#response.setHeader("Content-Type", "application/json");
    this.#response.setHeader("Grpc-Metadata-Content-Type", "application/grpc");
  }
}
