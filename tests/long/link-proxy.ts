// A TCP proxy in front of a member's peer port: counts what goes to it, and cuts all links at once.
import net from "node:net";

export class LinkProxy {
  readonly #server: net.Server;
  readonly #sockets: Set<net.Socket>;
  bytesTo: number;

  constructor(port: number, targetPort: number) {
    this.#sockets = new Set();
    this.bytesTo = 0;
    this.#server = net.createServer({ noDelay: true }, (incoming) => {
      const outgoing = net.connect({ host: "127.0.0.1", port: targetPort, noDelay: true });
      for (const socket of [incoming, outgoing]) {
        this.#sockets.add(socket);
        socket.on("error", () => socket.destroy());
        socket.on("close", () => {
          this.#sockets.delete(socket);
          incoming.destroy();
          outgoing.destroy();
        });
      }
      incoming.on("data", (bytes) => (this.bytesTo += bytes.length));
      incoming.pipe(outgoing);
      outgoing.pipe(incoming);
    });
    this.#server.listen(port, "127.0.0.1");
  }

  /** Every link that stands ends now; new ones are taken. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  close(): void {
    this.#server.close();
    this.cut();
  }
}
