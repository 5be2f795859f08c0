// HTTP requests as a client's library or curl would send them, and everything that came back.
import http from "node:http";
import { text } from "node:stream/consumers";

export interface HttpCall {
  /** POST unless said. */
  readonly method?: string;
  readonly path: string;
  readonly body?: string | Buffer;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface HttpAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly trailers: Readonly<Record<string, string>>;
}

/** What belongs to one connection or one moment. */
const passing = new Set(["date", "connection", "keep-alive"]);

const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });

export function httpCall(address: string, call: HttpCall): Promise<HttpAnswer> {
  const [host, port] = address.split(":");
  const { method = "POST", path, body = "", headers = {} } = call;
  return new Promise((resolve, reject) => {
    const length = { "Content-Length": String(Buffer.byteLength(body)) };
    const request = http.request(
      { host, port, method, path, agent, headers: { ...length, ...headers } },
      (response) => {
        text(response).then((told) => {
          resolve({
            status: response.statusCode ?? 0,
            headers: keptHeaders(response.headers),
            body: told,
            trailers: response.trailers as Record<string, string>,
          });
        }, reject);
      },
    );
    request.on("error", reject);
    request.end(body);
  });
}

export function keptHeaders(headers: http.IncomingHttpHeaders): Record<string, string> {
  const kept = Object.entries(headers).filter(([name]) => !passing.has(name));
  return Object.fromEntries(kept) as Record<string, string>;
}
