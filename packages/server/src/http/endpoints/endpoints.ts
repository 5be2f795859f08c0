// What the client port answers over HTTP beside the gateway: /health, /livez, /readyz, /version, /metrics.
import type { IncomingMessage, ServerResponse } from "node:http";
import type { HostApi } from "@quorate/host";
import { answer, answerError, answerNotAllowed } from "../answer.ts";
import { checkNames, runChecks } from "./checks.ts";
import type { CheckKind, EndpointFacts } from "./facts.ts";
import { health } from "./health.ts";

type Endpoint = (
  response: ServerResponse,
  host: HostApi,
  facts: EndpointFacts,
  query: URLSearchParams,
) => void;

function checksOf(kind: CheckKind): (readonly [string, Endpoint])[] {
  const names = [null, ...checkNames(kind)];
  return names.map((name) => [
    name === null ? `/${kind}` : `/${kind}/${name}`,
    (response, host, facts, query) => runChecks(kind, name, response, host, facts, query),
  ]);
}

/** By path; GET only. */
const byPath: ReadonlyMap<string, Endpoint> = new Map<string, Endpoint>([
  ["/health", health],
  ...checksOf("livez"),
  ...checksOf("readyz"),
  [
    "/version",
    (response, _host, facts) => {
      const { etcdVersion: etcdserver, clusterVersion: etcdcluster } = facts;
      answer(response, 200, "application/json", JSON.stringify({ etcdserver, etcdcluster }));
    },
  ],
]);

export class Endpoints {
  readonly #host: HostApi;
  readonly #facts: EndpointFacts;

  constructor(host: HostApi, facts: EndpointFacts) {
    this.#host = host;
    this.#facts = facts;
  }

  /** False: nothing stands at this path. */
  handle(
    path: string,
    query: URLSearchParams,
    request: IncomingMessage,
    response: ServerResponse,
  ): boolean {
    if (path === "/metrics") {
      this.#metrics(response);
      return true;
    }
    const endpoint = byPath.get(path);
    if (endpoint === undefined) return false;
    if (request.method === "GET") endpoint(response, this.#host, this.#facts, query);
    else answerNotAllowed(response, "GET");
    return true;
  }

  /** With any method, as Prometheus' own handler. */
  #metrics(response: ServerResponse): void {
    this.#facts.metrics().then(
      ({ contentType, text }) => answer(response, 200, contentType, text),
      (error: unknown) => answerError(response, 500, String(error)),
    );
  }
}
