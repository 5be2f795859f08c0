// Whole answers of the HTTP endpoints, with the headers that etcd (Go's net/http) gives them.
import type { ServerResponse } from "node:http";

/** As Go finds it for itself when nobody says what a text is. */
export const plainText = "text/plain; charset=utf-8";

export function answer(
  response: ServerResponse,
  status: number,
  contentType: string,
  body: string,
): void {
  response.statusCode = status;
  response.setHeader("Content-Type", contentType);
  // By hand, so that the answer to a HEAD has it as well.
  response.setHeader("Content-Length", Buffer.byteLength(body));
  response.end(body);
}

/** Go's http.Error. */
export function answerError(response: ServerResponse, status: number, text: string): void {
  response.setHeader("X-Content-Type-Options", "nosniff");
  answer(response, status, plainText, `${text}\n`);
}

export function answerNotFound(response: ServerResponse): void {
  answerError(response, 404, "404 page not found");
}

export function answerNotAllowed(response: ServerResponse, allowed: string): void {
  response.setHeader("Allow", allowed);
  answerError(response, 405, "Method Not Allowed");
}
