// The way of an HTTP/1.1 request on the client port: may it come in, which part answers it (etcd's
// access controller and Go's ServeMux, in their order).
import { STATUS_CODES } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { accessOf } from "./access.ts";
import type { Access, AccessOptions } from "./access.ts";
import { answerError, answerNotFound } from "./answer.ts";
import { boundBody } from "./body-timeout.ts";
import type { Endpoints } from "./endpoints/endpoints.ts";
import type { Gateway } from "./gateway/gateway.ts";
import { cleanPath, targetOf } from "./target.ts";
import type { Target } from "./target.ts";
import { asksForWebSocket, handshakeRefusal, webSocketVersion } from "./websocket/handshake.ts";

export interface RouterOptions {
  readonly access: AccessOptions;
  readonly endpoints: Endpoints;
  /** Null: --enable-grpc-gateway=false. */
  readonly gateway: Gateway | null;
}

const gatewayPath = "/v3/";
const formerGatewayPath = "/v3beta/";

export class Router {
  readonly #options: RouterOptions;

  constructor(options: RouterOptions) {
    this.#options = options;
  }

  handle(request: IncomingMessage, response: ServerResponse): void {
    const target = targetOf(request);
    if (target === null) {
      answerError(response, 400, "400 Bad Request");
      return;
    }
    const access = this.#accessOf(target, request);
    if (access.allowOrigin !== null) setCorsHeaders(response, access.allowOrigin);
    if (access.refusal !== null) {
      answerError(response, access.refusal.status, access.refusal.text);
    } else if (request.method === "OPTIONS") {
      response.setHeader("Content-Length", 0);
      response.end();
    } else {
      this.#route(target, request, response);
      return;
    }
    boundBody(request);
  }

  /** A WebSocket that may be opened; whatever else asks for an upgrade is a request like any. */
  upgrades(request: IncomingMessage): boolean {
    const target = asksForWebSocket(request) ? targetOf(request) : null;
    if (target === null || this.#options.gateway === null) return false;
    const path = pathOf(target);
    const isGateway = path.startsWith(gatewayPath) && path === cleanPath(path);
    if (!isGateway || handshakeRefusal(request) !== null) return false;
    return this.#accessOf(target, request).refusal === null;
  }

  /** One that `upgrades`. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const target = targetOf(request);
    const { gateway } = this.#options;
    if (target === null || gateway === null) socket.destroy();
    else gateway.upgrade(pathOf(target), request, socket, head);
  }

  #accessOf({ authority }: Target, request: IncomingMessage): Access {
    const { origin } = request.headers;
    const secure = "encrypted" in request.socket;
    return accessOf({ authority, origin, secure }, this.#options.access);
  }

  #route(target: Target, request: IncomingMessage, response: ServerResponse): void {
    const { gateway, endpoints } = this.#options;
    const path = pathOf(target);
    const clean = cleanPath(path);
    const moved = gateway !== null && clean === "/v3" ? gatewayPath : clean;
    if (moved !== path) {
      redirect(response, request, encodeURI(moved) + target.query);
    } else if (gateway !== null && path.startsWith(gatewayPath)) {
      const refusal = asksForWebSocket(request) ? handshakeRefusal(request) : null;
      if (refusal === null) return gateway.handle(path, request, response);
      response.setHeader("Sec-WebSocket-Version", webSocketVersion);
      answerError(response, refusal, STATUS_CODES[refusal] ?? "");
    } else if (!endpoints.handle(path, new URLSearchParams(target.query), request, response)) {
      answerNotFound(response);
    }
    boundBody(request);
  }
}

/** etcd's former name of the gateway is as good as the present one. */
function pathOf({ path }: Target): string {
  return path.startsWith(formerGatewayPath)
    ? gatewayPath + path.slice(formerGatewayPath.length)
    : path;
}

function setCorsHeaders(response: ServerResponse, origin: string): void {
  response.setHeader("Access-Control-Allow-Methods", "POST, GET, OPTIONS, PUT, DELETE");
  response.setHeader("Access-Control-Allow-Origin", origin);
  response.setHeader("Access-Control-Allow-Headers", "accept, content-type, authorization");
}

/** Go's redirect: a page for who reads pages. */
function redirect(response: ServerResponse, request: IncomingMessage, location: string): void {
  const { method } = request;
  const page = `<a href="${location}">Moved Permanently</a>.\n\n`;
  response.statusCode = 301;
  response.setHeader("Location", location);
  if (method === "GET" || method === "HEAD") {
    response.setHeader("Content-Type", "text/html; charset=utf-8");
  }
  response.end(method === "GET" ? page : "");
}
