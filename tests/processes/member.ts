// One real member of a test's cluster: a `quorate serve` process with its ports, its folder and its
// log, that can be killed, stopped and started again.
import { fromBinary } from "@bufbuild/protobuf";
import { createInterface } from "node:readline";
import { GrpcClient, GrpcCode } from "@quorate/grpc";
import { inspect } from "@quorate/proto";
import { startQuorate } from "./entry.ts";
import type { GrpcTls } from "@quorate/grpc";
import type { Environment, QuorateProcess } from "./entry.ts";

export interface MemberPlace {
  readonly name: string;
  readonly clientPort: number;
  readonly peerPort: number;
  readonly directory: string;
}

export interface MemberEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

const statusTimeoutMs = 2000;
const logLinesKept = 2000;

export class TestMember {
  readonly name: string;
  readonly clientPort: number;
  readonly peerPort: number;
  readonly directory: string;
  /** "host:port" for clients. */
  readonly address: string;
  /** Kept over restarts; connects anew when it must. */
  readonly client: GrpcClient;
  /** With what `status` says who asks; null: nobody. */
  token: string | null;
  readonly #command: string;
  readonly #flags: readonly string[];
  #process: QuorateProcess | null;
  #end: Promise<MemberEnd>;
  /** JSON lines of all its processes, oldest first. */
  readonly log: string[];

  /** `tls`: with what its clients' port is called; null: it speaks none. `command`: what runs it. */
  constructor(
    place: MemberPlace,
    flags: readonly string[],
    tls: GrpcTls | null = null,
    command: "serve" | "join" = "serve",
  ) {
    this.name = place.name;
    this.clientPort = place.clientPort;
    this.peerPort = place.peerPort;
    this.directory = place.directory;
    this.address = `127.0.0.1:${place.clientPort}`;
    this.client =
      tls === null ? new GrpcClient(this.address) : new GrpcClient(`https://${this.address}`, tls);
    this.token = null;
    this.#command = command;
    this.#flags = flags;
    this.#process = null;
    this.#end = Promise.resolve({ code: null, signal: null });
    this.log = [];
  }

  get running(): boolean {
    return this.#process !== null;
  }

  get pid(): number {
    return this.#process?.pid ?? 0;
  }

  /** The arguments of its command. */
  get flags(): readonly string[] {
    return this.#flags;
  }

  start(extraFlags: readonly string[] = [], environment: Environment = {}): void {
    if (this.#process !== null) {
      throw new Error(`${this.name} is running`);
    }
    const child = startQuorate([this.#command, ...this.#flags, ...extraFlags], {
      ...environment,
      QUORATE_EXIT_ON_STDIN_END: "1",
    });
    this.#process = child;
    child.stdin.on("error", () => undefined);
    for (const stream of [child.stdout, child.stderr]) {
      createInterface({ input: stream }).on("line", (line) => {
        this.log.push(line);
        if (this.log.length > logLinesKept) this.log.shift();
      });
    }
    this.#end = new Promise((resolve) => {
      child.on("close", (code, signal) => {
        child.stdin.destroy();
        this.#process = null;
        resolve({ code, signal });
      });
    });
  }

  /** kill -9; resolves when the process is gone. */
  kill(): Promise<MemberEnd> {
    return this.signal("SIGKILL");
  }

  /** SIGTERM; resolves when the process has ended by itself. */
  stop(): Promise<MemberEnd> {
    return this.signal("SIGTERM");
  }

  signal(signal: NodeJS.Signals): Promise<MemberEnd> {
    this.#process?.kill(signal);
    return this.#end;
  }

  /** How its present or last process ended. */
  ended(): Promise<MemberEnd> {
    return this.#end;
  }

  /** What it says about itself; null when it cannot be asked. */
  async status(): Promise<inspect.StatusResponse | null> {
    if (this.#process === null) {
      return null;
    }
    const path = "/quorate.v1.Inspect/Status";
    const metadata = this.token === null ? {} : { token: this.token };
    const result = await this.client.call(path, new Uint8Array(0), statusTimeoutMs, metadata);
    if (result.code !== GrpcCode.Ok || result.message === null) {
      return null;
    }
    return fromBinary(inspect.StatusResponseSchema, result.message);
  }

  /** True when the log holds a line with this message, or matching it. */
  logged(message: string | RegExp): boolean {
    return this.log.some((line) =>
      typeof message === "string" ? line.includes(`"msg":"${message}"`) : message.test(line),
    );
  }
}
