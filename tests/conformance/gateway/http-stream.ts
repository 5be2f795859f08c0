// A streamed answer over HTTP, line by line, to a request whose body may still go on.
import { once } from "node:events";
import http from "node:http";
import type { IncomingMessage } from "node:http";
import { createInterface } from "node:readline";

export class HttpStream {
  readonly response: IncomingMessage;
  readonly #request: http.ClientRequest;
  readonly #lines: AsyncIterator<string>;

  constructor(request: http.ClientRequest, response: IncomingMessage) {
    this.#request = request;
    this.response = response;
    this.#lines = createInterface({ input: response })[Symbol.asyncIterator]();
  }

  /** Resolves with the head of the answer, which comes with the first line. */
  static async open(
    address: string,
    path: string,
    body: string,
    options: { readonly end: boolean; readonly headers?: http.OutgoingHttpHeaders },
  ): Promise<HttpStream> {
    const [host, port] = address.split(":");
    const { end, headers = {} } = options;
    const request = http.request({ host, port, path, method: "POST", headers, agent: false });
    request.on("error", () => undefined);
    request.write(body);
    if (end) request.end();
    const [response] = (await once(request, "response")) as [IncomingMessage];
    response.on("error", () => undefined);
    return new HttpStream(request, response);
  }

  send(body: string): void {
    this.#request.write(body);
  }

  /** null: the answer has ended. */
  async next(): Promise<string | null> {
    const { done, value } = await this.#lines.next();
    return done === true ? null : value;
  }

  close(): void {
    this.#request.destroy();
  }
}
