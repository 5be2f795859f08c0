// The server of a port over real sockets: what ends a connection that does not go on, and what a client
// hears that does not speak HTTP.
import { equal, match } from "node:assert/strict";
import net from "node:net";
import { test } from "node:test";
import { makeHttpServer } from "./http-server.ts";
import type { Handler } from "./http-server.ts";

const endAtOnce: Handler = (_request, response) => void response.end("answered\n");

/** Everything the server says to these bytes until it closes the connection. */
async function say(text: string, headersTimeoutMs?: number): Promise<string> {
  const http = makeHttpServer(endAtOnce, headersTimeoutMs);
  const listener = net.createServer((socket) => http.emit("connection", socket));
  await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve));
  const { port } = listener.address() as net.AddressInfo;
  const heard = await new Promise<string>((resolve) => {
    let all = "";
    const socket = net.connect(port, "127.0.0.1");
    socket.setEncoding("latin1").on("data", (piece: string) => (all += piece));
    socket.on("error", () => undefined);
    socket.on("close", () => resolve(all));
    socket.write(text, "latin1");
  });
  listener.close();
  http.close();
  return heard;
}

test("headers that do not come to an end are given up", async () => {
  equal(await say("GET / HTTP/1.1\r\nHost: a\r\n", 300), "");
  match(await say("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", 300), /answered/);
});

test("what is no HTTP is told so, as Go tells it", async () => {
  match(
    await say("nonsense\r\n\r\n"),
    /^HTTP\/1.1 400 Bad Request\r\n[^]*\r\n\r\n400 Bad Request$/,
  );
  const long = `GET / HTTP/1.1\r\nHost: a\r\nX: ${"x".repeat(20_000)}\r\n\r\n`;
  match(await say(long), /^HTTP\/1.1 431 /);
});
