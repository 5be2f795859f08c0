// A call through the gateway over a WebSocket, as etcd's proxy does it: what the client's messages hold,
// one behind the other, is the body, each JSON object of the answer is a text message, and the end of one
// is the end of the other. A page cannot set headers here, so a token comes as a subprotocol.
import type { IncomingHttpHeaders } from "node:http";
import { CloseCode } from "../websocket/frame-reader.ts";
import type { WebSocket } from "../websocket/web-socket.ts";
import type { AnswerEvents, CallAnswer, WholeFailure } from "./answer.ts";
import type { BodyEvents, CallBody } from "./body.ts";

/** A line's end, as JSON has it. */
const betweenMessages = Buffer.from("\n");

export class WebSocketCall implements CallAnswer {
  readonly #socket: WebSocket;
  readonly address: string;
  begun: boolean;
  readonly body: CallBody;
  #answer: AnswerEvents | null;
  #body: BodyEvents | null;

  constructor(socket: WebSocket, address: string) {
    this.#socket = socket;
    this.address = address;
    this.begun = false;
    this.#answer = null;
    this.#body = null;
    this.body = { listen: (events) => (this.#body = events) };
  }

  /** `head`: bytes that have come already. Whoever carries out the call listens by now. */
  open(head: Buffer): void {
    this.#socket.open(head, {
      data: (piece) => this.#body?.data(piece),
      messageEnd: () => this.#body?.data(betweenMessages),
      drain: () => this.#answer?.drain(),
      closed: () => {
        this.#body?.close();
        this.#answer?.closed();
      },
      gone: () => this.#answer?.left(),
    });
  }

  get buffered(): number {
    return this.#socket.buffered;
  }

  get needsDrain(): boolean {
    return this.#socket.needsDrain;
  }

  listen(events: AnswerEvents): void {
    this.#answer = events;
  }

  whole(json: string): void {
    this.#say(json);
    this.finish();
  }

  line(json: string): boolean {
    return this.#say(`{"result":${json}}`);
  }

  finish(): void {
    this.#socket.close(CloseCode.Normal);
  }

  failWhole({ body }: WholeFailure): void {
    this.whole(body);
  }

  failStream(_status: number, frame: string): void {
    this.whole(frame.trimEnd());
  }

  /** It has been taken over, and ends with the call. */
  closeConnection(): void {}

  #say(json: string): boolean {
    this.begun = true;
    return this.#socket.sendText(json);
  }
}

/** Of "Bearer, TOKEN"; empty: none. */
export function tokenOf(headers: IncomingHttpHeaders): string {
  return bearer.exec(headers["sec-websocket-protocol"] ?? "")?.[2] ?? "";
}

/** What is agreed on: the client's own word for the scheme; null: nothing. */
export function protocolOf(headers: IncomingHttpHeaders): string | null {
  return bearer.exec(headers["sec-websocket-protocol"] ?? "")?.[1] ?? null;
}

const bearer = /^(Bearer) *, *([^, ]+)/i;
