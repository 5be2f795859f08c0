// The opening of a WebSocket (RFC 6455 §4): what asks for one, what is wrong with it, and the answer.
import { createHash } from "node:crypto";
import { STATUS_CODES } from "node:http";
import type { IncomingHttpHeaders, IncomingMessage } from "node:http";

export const webSocketVersion = "13";
const guid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
const keyBytes = 16;

export function asksForWebSocket({ headers }: IncomingMessage): boolean {
  return lists(headers.connection, "upgrade") && lists(headers.upgrade, "websocket");
}

/** The status that it is refused with; null: it is right. */
export function handshakeRefusal({ method, headers }: IncomingMessage): 400 | 405 | null {
  if (method !== "GET") return 405;
  if (headers["sec-websocket-version"] !== webSocketVersion) return 400;
  const key = headers["sec-websocket-key"] ?? "";
  return Buffer.from(key, "base64").length === keyBytes ? null : 400;
}

/** `protocol`: of those that the client offers; null: none. */
export function acceptance(headers: IncomingHttpHeaders, protocol: string | null): string {
  const key = headers["sec-websocket-key"] ?? "";
  const accept = createHash("sha1")
    .update(key + guid)
    .digest("base64");
  const lines = [
    `HTTP/1.1 101 ${STATUS_CODES[101]}`,
    "Upgrade: websocket",
    "Connection: Upgrade",
    `Sec-WebSocket-Accept: ${accept}`,
  ];
  if (protocol !== null) lines.push(`Sec-WebSocket-Protocol: ${protocol}`);
  return `${lines.join("\r\n")}\r\n\r\n`;
}

/** A list of tokens, of which letters' case says nothing. */
function lists(header: string | undefined, token: string): boolean {
  return (header ?? "").split(",").some((each) => each.trim().toLowerCase() === token);
}
