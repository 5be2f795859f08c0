// Members as real processes, one in each namespace, and what a client sees of each.
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fromBinary } from "@bufbuild/protobuf";
import { utf8Decode, utf8Encode } from "@quorate/base";
import { GrpcClient, GrpcCode } from "@quorate/grpc";
import type { GrpcResult, GrpcTls } from "@quorate/grpc";
import {
  decodeRangeResponse,
  encodePutRequest,
  encodeRangeRequest,
  PutRequest,
  RangeRequest,
} from "@quorate/kv";
import { inspect } from "@quorate/proto";
import type { Hosts } from "./net.ts";

const binary = join(import.meta.dirname, "../../packages/cli/bin/quorate");

/** Clients speak TLS; peers can, where their URLs say so. */
export interface MembersTls {
  readonly client: GrpcTls;
  /** That name the files of a member at this address. */
  flagsOf(name: string, host: string): readonly string[];
}

export class Members {
  readonly #hosts: Hosts;
  readonly #folder: string;
  /** Null: it does not run. */
  readonly #children: (ChildProcess | null)[];
  /** How its last process ended. */
  readonly #ends: Promise<number | null>[];
  readonly #clients: GrpcClient[];
  readonly #founders: number;
  /** Null: nobody speaks it. */
  readonly #tls: MembersTls | null;
  readonly count: number;

  /**
   * The first `founders` found the cluster and are started; the others may join it. `tls` writes its
   * files into the folder beside the members' directories.
   */
  constructor(
    hosts: Hosts,
    count: number,
    founders: number = count,
    tls: ((folder: string) => MembersTls) | null = null,
  ) {
    this.#hosts = hosts;
    this.#folder = mkdtempSync(join(tmpdir(), "quorate-ns-"));
    this.#tls = tls === null ? null : tls(this.#folder);
    this.#children = [];
    this.#ends = [];
    this.#clients = [];
    this.#founders = founders;
    this.count = count;
    for (let at = 0; at < count; at += 1) {
      this.#clients.push(
        this.#tls === null
          ? new GrpcClient(this.address(at))
          : new GrpcClient(this.clientUrl(at), this.#tls.client),
      );
      this.#children.push(null);
      this.#ends.push(Promise.resolve(null));
      if (at < founders) this.start(at);
    }
  }

  /** "host:port" for clients. */
  address(at: number): string {
    return `${this.#hosts.address(at)}:2379`;
  }

  clientUrl(at: number): string {
    return `${this.#tls === null ? "http" : "https"}://${this.address(at)}`;
  }

  /** Without TLS, as all begin. */
  peerUrl(at: number): string {
    return `http://${this.#hosts.address(at)}:2380`;
  }

  /** That name its files; none where nobody speaks TLS. */
  tlsFlags(at: number): readonly string[] {
    return this.#tls?.flagsOf(this.name(at), this.#hosts.address(at)) ?? [];
  }

  /** Of these: NAME=URL,… */
  list(members: readonly number[]): string {
    return members.map((at) => `${this.name(at)}=${this.peerUrl(at)}`).join(",");
  }

  /** Of its data; beside it, what tests put there. */
  directory(at: number): string {
    return join(this.#folder, this.name(at));
  }

  isRunning(at: number): boolean {
    return this.#children[at] !== null;
  }

  pid(at: number): number {
    return this.#children[at]?.pid ?? 0;
  }

  /** kill -9; resolves when it is gone. */
  async kill(at: number): Promise<void> {
    this.#children[at]?.kill("SIGKILL");
    await this.#ends[at];
  }

  /** The exit code of its present or last process; null: killed, or never started. */
  ended(at: number): Promise<number | null> {
    return this.#ends[at]!;
  }

  call(at: number, path: string, request: Uint8Array): Promise<GrpcResult> {
    return this.#clients[at]!.call(path, request, 5_000);
  }

  name(at: number): string {
    return `m${at + 1}`;
  }

  /** Null when it does not answer. */
  async status(at: number): Promise<inspect.StatusResponse | null> {
    const path = "/quorate.v1.Inspect/Status";
    const result = await this.#clients[at]!.call(path, new Uint8Array(0), 1000);
    return result.message === null
      ? null
      : fromBinary(inspect.StatusResponseSchema, result.message);
  }

  put(at: number, key: string, value: string, timeoutMs: number = 10_000): Promise<GrpcResult> {
    const request = new PutRequest({ key: utf8Encode(key), value: utf8Encode(value) });
    const bytes = encodePutRequest(request);
    return this.#clients[at]!.call("/etcdserverpb.KV/Put", bytes, timeoutMs);
  }

  get(at: number, key: string, serializable: boolean): Promise<GrpcResult> {
    const request = new RangeRequest({ key: utf8Encode(key), serializable });
    return this.#clients[at]!.call("/etcdserverpb.KV/Range", encodeRangeRequest(request), 10_000);
  }

  /** All keys and values below a prefix, as this member has them. */
  async all(at: number, prefix: string): Promise<Map<string, string>> {
    const key = utf8Encode(prefix);
    const rangeEnd = utf8Encode(`${prefix}\u007f`);
    const bytes = encodeRangeRequest(new RangeRequest({ key, rangeEnd }));
    const result = await this.#clients[at]!.call("/etcdserverpb.KV/Range", bytes, 10_000);
    if (result.code !== GrpcCode.Ok) {
      throw new Error(`range at ${this.name(at)}: ${result.text}`);
    }
    const response = decodeRangeResponse(result.message!);
    return new Map(response!.kvs.map((kv) => [utf8Decode(kv.key), utf8Decode(kv.value)]));
  }

  /** The member that leads and that `among` agree about, once there is one. */
  leader(among: readonly number[]): Promise<number> {
    return until(`a leader among ${among.map((at) => this.name(at)).join(", ")}`, async () => {
      const statuses = await Promise.all(among.map((at) => this.status(at)));
      const leading = among.filter((_at, index) => statuses[index]?.role === "leader");
      const name = leading.length === 1 ? this.name(leading[0]!) : "";
      const agreed = statuses.every(
        (s) => s !== null && s.leader === name && s.phase === "running",
      );
      return leading.length === 1 && agreed ? leading[0]! : null;
    });
  }

  log(at: number): string {
    return readFileSync(join(this.#folder, `${this.name(at)}.log`), "utf8");
  }

  /** Lines of all its processes. */
  logged(at: number): string[] {
    const path = join(this.#folder, `${this.name(at)}.log`);
    return existsSync(path) ? readFileSync(path, "utf8").split("\n") : [];
  }

  /** The last of what each has said, for whoever has to find out why a test failed. */
  showLogs(): void {
    for (let at = 0; at < this.count; at += 1) {
      const lines = this.logged(at).slice(-40);
      process.stderr.write(`--- last lines of ${this.name(at)}\n${lines.join("\n")}\n`);
    }
  }

  stop(): void {
    for (const client of this.#clients) {
      client.close();
    }
    for (const child of this.#children) {
      child?.kill("SIGKILL");
    }
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** `more`: flags that override its own. */
  start(at: number, more: readonly string[] = []): void {
    const name = this.name(at);
    const founds = at < this.#founders;
    const listed = Array.from({ length: founds ? this.#founders : this.count }, (_, one) => one);
    const log = openSync(join(this.#folder, `${name}.log`), "a");
    const flags = [
      `--name=${name}`,
      `--data-dir=${this.directory(at)}`,
      `--listen-client-urls=${this.clientUrl(at)}`,
      `--advertise-client-urls=${this.clientUrl(at)}`,
      `--listen-peer-urls=${this.peerUrl(at)}`,
      `--initial-advertise-peer-urls=${this.peerUrl(at)}`,
      `--initial-cluster=${this.list(listed)}`,
      `--initial-cluster-state=${founds ? "new" : "existing"}`,
      ...this.tlsFlags(at),
      ...more,
    ];
    const words = ["netns", "exec", this.#hosts.namespace(at), binary, "serve", ...flags];
    const child = spawn("ip", words, { stdio: ["ignore", log, log] });
    closeSync(log);
    this.#children[at] = child;
    this.#ends[at] = new Promise((resolve) => {
      child.on("exit", (code) => {
        this.#children[at] = null;
        resolve(code);
      });
    });
  }
}

/** Asks again and again until `probe` gives something; fails after a minute with what was awaited. */
export async function until<T>(what: string, probe: () => Promise<T | null>): Promise<T> {
  const endMs = performance.now() + 60_000;
  for (;;) {
    const found = await probe();
    if (found !== null) {
      return found;
    }
    if (performance.now() > endMs) {
      throw new Error(`waited a minute for ${what}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
