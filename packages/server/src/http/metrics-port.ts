// --listen-metrics-urls: a port for who watches this member (metrics, health, liveness, readiness), on
// which nothing else is served and which no client can fill.
import type http from "node:http";
import type { AddressInfo } from "node:net";
import { answerNotFound } from "./answer.ts";
import { boundBody } from "./body-timeout.ts";
import type { Endpoints } from "./endpoints/endpoints.ts";
import { makeHttpServer } from "./http-server.ts";
import { targetOf } from "./target.ts";

const connectionsMax = 256;

export class MetricsPort {
  readonly #endpoints: Endpoints;
  readonly #servers: http.Server[];

  constructor(endpoints: Endpoints) {
    this.#endpoints = endpoints;
    this.#servers = [];
  }

  bind(host: string, port: number): Promise<number> {
    const server = makeHttpServer((request, response) => this.#handle(request, response));
    server.maxConnections = connectionsMax;
    this.#servers.push(server);
    return new Promise((resolve, reject) => {
      server.once("error", reject);
      server.listen(port, host, () => {
        server.off("error", reject);
        server.on("error", () => undefined);
        resolve((server.address() as AddressInfo).port);
      });
    });
  }

  destroy(): void {
    for (const server of this.#servers) {
      server.close();
      server.closeAllConnections();
    }
  }

  #handle(request: http.IncomingMessage, response: http.ServerResponse): void {
    const target = targetOf(request);
    const query = new URLSearchParams(target?.query);
    const isAnswered =
      target !== null &&
      target.path !== "/version" &&
      this.#endpoints.handle(target.path, query, request, response);
    if (!isAnswered) answerNotFound(response);
    boundBody(request);
  }
}
