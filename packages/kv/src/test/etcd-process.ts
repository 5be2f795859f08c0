// A real etcd for comparison: one member on free loopback ports in a temporary directory, asked
// over plain HTTP/2 so that the very bytes of requests and responses can be compared.
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { connect } from "node:http2";
import type { ClientHttp2Session, IncomingHttpHeaders } from "node:http2";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

const START_MS_MAX = 10_000;

export interface EtcdAnswer {
  /** gRPC status; 0: `bytes` is the response. */
  readonly code: number;
  readonly message: string;
  readonly bytes: Uint8Array;
}

async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, "127.0.0.1"));
  await Promise.all(servers.map((server) => once(server, "listening")));
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => once(server.close(), "close")));
  return ports;
}

export class EtcdProcess {
  readonly clientUrl: string;
  readonly #child: ChildProcess;
  readonly #folder: string;
  readonly #session: ClientHttp2Session;

  private constructor(
    url: string,
    child: ChildProcess,
    folder: string,
    session: ClientHttp2Session,
  ) {
    this.clientUrl = url;
    this.#child = child;
    this.#folder = folder;
    this.#session = session;
  }

  /** Null: there is no etcd on this machine. */
  static async start(flags: readonly string[]): Promise<EtcdProcess | null> {
    const [clientPort, peerPort] = await freePorts(2);
    const clientUrl = `http://127.0.0.1:${clientPort}`;
    const peerUrl = `http://127.0.0.1:${peerPort}`;
    const folder = mkdtempSync(join(tmpdir(), "quorate-etcd-"));
    const child = spawn(
      "etcd",
      [
        ...["--name", "one", "--data-dir", folder, "--log-outputs", "stderr"],
        ...["--logger", "zap", "--log-level", "error"],
        ...["--listen-client-urls", clientUrl, "--advertise-client-urls", clientUrl],
        ...["--listen-peer-urls", peerUrl, "--initial-advertise-peer-urls", peerUrl],
        ...["--initial-cluster", `one=${peerUrl}`],
        ...flags,
      ],
      { stdio: "ignore" },
    );
    const failed = once(child, "error").then(() => false);
    if (!(await Promise.race([once(child, "spawn").then(() => true), failed]))) {
      rmSync(folder, { recursive: true, force: true });
      return null;
    }
    for (const deadline = Date.now() + START_MS_MAX; Date.now() < deadline; await sleep(50)) {
      const session = connect(clientUrl);
      session.on("error", () => {});
      const etcd = new EtcdProcess(clientUrl, child, folder, session);
      const answer = await etcd.call("KV/Range", Uint8Array.of(0x0a, 1, 0)).catch(() => null);
      if (answer?.code === 0) return etcd;
      session.destroy();
    }
    child.kill("SIGKILL");
    throw new Error("etcd did not answer in time");
  }

  /** `method`: as "KV/Range". */
  async call(method: string, request: Uint8Array): Promise<EtcdAnswer> {
    const stream = this.#session.request({
      ":method": "POST",
      ":path": `/etcdserverpb.${method}`,
      "content-type": "application/grpc",
      te: "trailers",
    });
    let status: IncomingHttpHeaders = {};
    stream.on("response", (headers) => (status = { ...status, ...headers }));
    stream.on("trailers", (headers) => (status = { ...status, ...headers }));
    const frame = Buffer.alloc(5 + request.length);
    frame.writeUInt32BE(request.length, 1);
    frame.set(request, 5);
    stream.end(frame);
    const parts: Buffer[] = [];
    for await (const part of stream) parts.push(part as Buffer);
    const text = status["grpc-message"];
    return {
      code: Number(status["grpc-status"]),
      message: typeof text === "string" ? decodeURIComponent(text) : "",
      bytes: new Uint8Array(Buffer.concat(parts).subarray(5)),
    };
  }

  get running(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  async stop(): Promise<void> {
    this.#session.destroy();
    if (this.running) {
      const gone = once(this.#child, "exit");
      this.#child.kill("SIGKILL");
      await gone;
    }
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
