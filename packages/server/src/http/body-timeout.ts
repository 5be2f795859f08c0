// A body has to come to its end in time, wanted or not: until then its connection is taken. Only the
// body of a call with many messages may stay open for as long as the call lasts.
import type { IncomingMessage } from "node:http";

const bodyTimeoutMs = 30_000;

export function boundBody(request: IncomingMessage): void {
  if (request.complete) return;
  const timer = setTimeout(() => request.destroy(), bodyTimeoutMs).unref();
  request.once("end", () => clearTimeout(timer));
  request.once("close", () => clearTimeout(timer));
}
