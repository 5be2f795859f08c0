// The way of an HTTP/1.1 request on the client port: may it come in, which part answers it (etcd's
// access controller and Go's ServeMux, in their order).
import type { IncomingMessage, ServerResponse } from "node:http";
import { accessOf } from "./access.ts";
import type { AccessOptions } from "./access.ts";
import { answerError, answerNotFound } from "./answer.ts";
import { boundBody } from "./body-timeout.ts";
import type { Endpoints } from "./endpoints/endpoints.ts";
import type { Gateway } from "./gateway/gateway.ts";
import { cleanPath, targetOf } from "./target.ts";
import type { Target } from "./target.ts";

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
    const { origin } = request.headers;
    const { authority } = target;
    const secure = "encrypted" in request.socket;
    const access = accessOf({ authority, origin, secure }, this.#options.access);
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

  #route(target: Target, request: IncomingMessage, response: ServerResponse): void {
    const { gateway, endpoints } = this.#options;
    const path = target.path.startsWith(formerGatewayPath)
      ? gatewayPath + target.path.slice(formerGatewayPath.length)
      : target.path;
    const clean = cleanPath(path);
    const moved = gateway !== null && clean === "/v3" ? gatewayPath : clean;
    if (moved !== path) {
      redirect(response, request, encodeURI(moved) + target.query);
    } else if (gateway !== null && path.startsWith(gatewayPath)) {
      gateway.handle(path, request, response);
      return;
    } else if (!endpoints.handle(path, new URLSearchParams(target.query), request, response)) {
      answerNotFound(response);
    }
    boundBody(request);
  }
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
