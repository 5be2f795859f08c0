// --listen-metrics-urls: a port for who watches this member (metrics, health, liveness, readiness), on
// which nothing else is served and which no client can fill.
import type http from "node:http";
import net from "node:net";
import type { AddressInfo } from "node:net";
import type { Handshakes } from "../tls/handshakes.ts";
import { answerNotFound } from "./answer.ts";
import { boundBody } from "./body-timeout.ts";
import type { Endpoints } from "./endpoints/endpoints.ts";
import { makeHttpServer } from "./http-server.ts";
import { targetOf } from "./target.ts";

const connectionsMax = 256;

export class MetricsPort {
  readonly #endpoints: Endpoints;
  readonly #handshakes: Handshakes | null;
  readonly #servers: http.Server[];
  /** Those that listen for connections behind TLS. */
  readonly #listeners: net.Server[];

  /** `handshakes`: for the ports that are bound for TLS; null: there are none. */
  constructor(endpoints: Endpoints, handshakes: Handshakes | null = null) {
    this.#endpoints = endpoints;
    this.#handshakes = handshakes;
    this.#servers = [];
    this.#listeners = [];
  }

  bind(host: string, port: number, secure: boolean = false): Promise<number> {
    const http = makeHttpServer((request, response) => this.#handle(request, response));
    this.#servers.push(http);
    const server = secure ? this.#behindTls(http) : http;
    server.maxConnections = connectionsMax;
    return new Promise((resolve, reject) => {
      server.once("error", reject);
      server.listen(port, host, () => {
        server.off("error", reject);
        server.on("error", () => undefined);
        resolve((server.address() as AddressInfo).port);
      });
    });
  }

  #behindTls(http: http.Server): net.Server {
    const server = net.createServer((socket) => {
      if (this.#handshakes === null) {
        socket.destroy();
        return;
      }
      this.#handshakes.accept(socket, (good) => http.emit("connection", good), ["http/1.1"]);
    });
    this.#listeners.push(server);
    return server;
  }

  destroy(): void {
    for (const server of this.#listeners) server.close();
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
