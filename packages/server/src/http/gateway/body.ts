// The body of a call through the gateway, as it arrives: of an HTTP request, or out of a WebSocket.
import type { IncomingMessage } from "node:http";

export interface BodyEvents {
  data(chunk: Buffer): void;
  /** All of it has come. */
  end(): void;
  /** Nothing of it comes any more, whether all has come or not. */
  close(): void;
}

export interface CallBody {
  listen(events: BodyEvents): void;
}

export function httpBody(request: IncomingMessage): CallBody {
  return {
    listen: (events) => {
      request.on("data", (chunk: Buffer) => events.data(chunk));
      request.on("error", () => undefined);
      request.on("close", () => events.close());
      request.on("end", () => events.end());
    },
  };
}
