// One member as a process: ports, files, host, services, metrics, signals, exit codes. What is wrong
// with the configuration or the machine ends in one clear line and its exit code (DESIGN.md 23).
import type { Logger } from "pino";
import { AssertionError } from "@quorate/base";
import { GrpcServer, ReplyBytes } from "@quorate/grpc";
import type { GrpcCode } from "@quorate/grpc";
import { Host, Phase } from "@quorate/host";
import type { HostConfig } from "@quorate/host";
import { ExitCode } from "@quorate/storage";
import { makeAuthParts } from "./auth/auth-parts.ts";
import { AuthReset } from "./auth/auth-reset.ts";
import type { AuthOptions } from "./auth/auth-token.ts";
import { beginAnew } from "./env/begin-anew.ts";
import { startTicks } from "./env/event-loop.ts";
import type { LoopClock } from "./env/event-loop.ts";
import { NodeDisk } from "./env/node-disk.ts";
import { makeEnv } from "./env/node-env.ts";
import { NodeTransport } from "./env/node-transport.ts";
import { busyError } from "./etcd/errors.ts";
import { releaseOf } from "./etcd/release.ts";
import { methods, Services } from "./etcd/services.ts";
import { ClientPort, Speaks } from "./http/client-port.ts";
import { Endpoints } from "./http/endpoints/endpoints.ts";
import { Gateway } from "./http/gateway/gateway.ts";
import { Metrics } from "./http/metrics/metrics.ts";
import { MetricsPort } from "./http/metrics-port.ts";
import { Router } from "./http/router.ts";
import { hostOf } from "./http/target.ts";
import { headerBytesMax } from "./member-limits.ts";
import type { MemberLimits } from "./member-limits.ts";
import { TlsFileError } from "./tls/files.ts";
import type { TlsOptions } from "./tls/options.ts";
import { addTlsMetrics } from "./tls/tls-metrics.ts";
import { TlsSide } from "./tls/tls-side.ts";

/** Where to listen: a host (name or address) and a port. */
export interface Listen {
  readonly host: string;
  readonly port: number;
  /** Behind TLS. */
  readonly secure: boolean;
}

export interface MemberOptions {
  readonly host: HostConfig;
  readonly listenClient: readonly Listen[];
  readonly listenPeer: readonly Listen[];
  readonly limits: MemberLimits;
  readonly version: string;
  /** What clients are told they talk to (--compat-version). */
  readonly etcdVersion: string;
  readonly http: HttpOptions;
  /** Null: there are no certificates for these connections. */
  readonly tls: { readonly client: TlsOptions | null; readonly peer: TlsOptions | null };
  readonly auth: AuthOptions;
  readonly logger: Logger;
}

/** How the client port takes HTTP requests (etcd's flags). */
export interface HttpOptions {
  /** --cors, --host-whitelist; null: not set. */
  readonly cors: readonly string[] | null;
  readonly hostWhitelist: readonly string[] | null;
  /** --enable-grpc-gateway */
  readonly gateway: boolean;
  /** --listen-client-http-urls: then the other client ports speak gRPC only. Empty: not set. */
  readonly listenClient: readonly Listen[];
  readonly listenMetrics: readonly Listen[];
}

/** Bytes that a request message may have beyond --max-request-bytes (etcd: 512 KiB). */
const grpcOverheadBytes = 512 * 1024;

/** A clean stop that takes longer than this ends anyway. */
const stopTimeoutMs = 10_000;

export class Member {
  readonly #options: MemberOptions;
  readonly #logger: Logger;
  readonly #disk: NodeDisk;
  readonly #transport: NodeTransport;
  readonly #host: Host;
  readonly #services: Services;
  readonly #grpc: GrpcServer;
  readonly #port: ClientPort;
  readonly #metrics: Metrics;
  readonly #metricsPort: MetricsPort;
  readonly #tls: { readonly client: TlsSide | null; readonly peer: TlsSide | null };
  #loop: LoopClock | null;
  #stopping: boolean;
  #ready: boolean;

  constructor(options: MemberOptions) {
    this.#options = options;
    this.#logger = options.logger;
    this.#disk = new NodeDisk();
    this.#disk.onOpenToOthers = (directory, mode) => {
      const words = "others of this machine may read in this directory";
      this.#logger.warn({ directory, mode: mode.toString(8) }, words);
    };
    const { client, peer } = options.tls;
    const { limits } = options;
    const side = (tls: TlsOptions): TlsSide =>
      new TlsSide(tls, options.logger, limits.handshakesMax);
    this.#tls = {
      client: client === null ? null : side(client),
      peer: peer === null ? null : side(peer),
    };
    this.#transport = new NodeTransport(this.#tls.peer);
    const env = makeEnv(
      this.#disk,
      this.#transport,
      options.logger,
      (code, reason) => this.#fatal(code, reason),
      (reason) => this.#restart(reason),
    );
    this.#host = new Host(env, options.host);
    const clusterVersion = options.etcdVersion.replace(/\.\d+$/, ".0");
    const facts = {
      etcdVersion: options.etcdVersion,
      version: options.version,
      electionTimeoutMs: options.host.electionTimeoutMs,
      snapshotBytesPerSecond: options.host.snapshotBytesPerSecond,
      stallMaxMs: () => this.#loop?.stallMaxMs ?? 0,
    };
    const replyBytes = new ReplyBytes(limits.replyBytesMax);
    const auth = makeAuthParts(this.#host, options.auth, options.logger);
    this.#services = new Services(this.#host, facts, auth, replyBytes);
    this.#metrics = new Metrics(this.#host, {
      server: options.etcdVersion,
      cluster: options.etcdVersion.replace(/\.\d+$/, ""),
    });
    addTlsMetrics(this.#metrics.registry, this.#tlsSides);
    this.#disk.onSync = (milliseconds) => this.#metrics.onSync(milliseconds);
    this.#grpc = new GrpcServer({
      methods,
      messageBytesMax: options.host.requestBytesMax + grpcOverheadBytes,
      streamsPerConnectionMax: limits.streamsPerConnectionMax,
      headerBytesMax,
      handler: this.#services,
      limits: {
        streamsMax: limits.streamsMax,
        busyText: busyError.text,
        keepAlive: limits.keepAlive,
        replyBytes,
      },
    });
    const onHandled = (method: number, code: GrpcCode): void =>
      this.#metrics.onHandled(method, code);
    this.#grpc.onHandled = onHandled;
    const endpoints = this.#makeEndpoints(clusterVersion);
    const handshakes = this.#tls.client?.handshakes ?? null;
    this.#metricsPort = new MetricsPort(endpoints, handshakes);
    const router = this.#makeRouter(endpoints, onHandled, replyBytes);
    this.#port = new ClientPort(this.#grpc, router, limits, handshakes);
    this.#loop = null;
    this.#stopping = false;
    this.#ready = false;
  }

  #makeEndpoints(clusterVersion: string): Endpoints {
    const { etcdVersion } = this.#options;
    return new Endpoints(this.#host, {
      etcdVersion,
      clusterVersion,
      release: releaseOf(etcdVersion),
      metrics: () => this.#metrics.scrape(),
      onHealth: (ok) => this.#metrics.onHealth(ok),
      onCheck: (kind, name, ok) => this.#metrics.onCheck(kind, name, ok),
    });
  }

  #makeRouter(
    endpoints: Endpoints,
    onHandled: (method: number, code: GrpcCode) => void,
    replyBytes: ReplyBytes,
  ): Router {
    const { http, etcdVersion, host } = this.#options;
    const release = releaseOf(etcdVersion);
    const messageBytesMax = host.requestBytesMax + grpcOverheadBytes;
    const gateway = http.gateway
      ? new Gateway({
          handler: this.#services,
          methods,
          messageBytesMax,
          release,
          onHandled,
          replyBytes,
        })
      : null;
    const ownHosts = host.clientUrls.map((url) => hostOf(url.replace(/^https?:\/\//, "")));
    const { cors, hostWhitelist } = http;
    return new Router({ access: { cors, hostWhitelist, ownHosts }, endpoints, gateway });
  }

  /** Ports first: one that is taken ends the process before anything on disk is touched. */
  async start(): Promise<void> {
    process.on("uncaughtException", (error) => this.#onUncaught(error));
    process.on("unhandledRejection", (error) => this.#onUncaught(error));
    process.on("SIGTERM", () => this.stop("SIGTERM"));
    process.on("SIGINT", () => this.stop("SIGINT"));
    for (const { host, port, secure } of this.#options.listenPeer) {
      await this.#bound("peer", host, port, this.#transport.bind(host, port, secure));
    }
    const { listenClient, http } = this.#options;
    const speaks = http.listenClient.length === 0 ? Speaks.Both : Speaks.Grpc;
    for (const { host, port, secure } of listenClient) {
      await this.#bound("client", host, port, this.#port.bind(host, port, speaks, secure));
    }
    for (const { host, port, secure } of http.listenClient) {
      const binding = this.#port.bind(host, port, Speaks.Http, secure);
      await this.#bound("client HTTP", host, port, binding);
    }
    for (const { host, port, secure } of http.listenMetrics) {
      await this.#bound("metrics", host, port, this.#metricsPort.bind(host, port, secure));
    }
    this.#openTls();
    this.#host.start();
    this.#loop = startTicks(
      this.#options.host,
      (ticks) => {
        this.#host.tick(ticks);
        this.#announce();
      },
      (stallMs) => this.#onStall(stallMs),
    );
    setInterval(() => this.#services.tick(), 1000).unref();
    const { directory } = this.#options.host;
    new AuthReset({ host: this.#host, directory, logger: this.#logger }).watch();
  }

  get #tlsSides(): TlsSide[] {
    return [this.#tls.client, this.#tls.peer].filter((side) => side !== null);
  }

  /** Before anybody is served: who connects earlier is not answered. */
  #openTls(): void {
    try {
      for (const side of this.#tlsSides) side.open();
    } catch (error) {
      if (!(error instanceof TlsFileError)) throw error;
      this.#fatal(ExitCode.Usage, error.message);
    }
  }

  /** Hands leadership over, finishes what is in flight, ends with 0. */
  stop(signal: string): void {
    if (this.#stopping) {
      this.#logger.warn({ signal }, "second signal, exiting at once");
      process.exit(1);
    }
    this.#stopping = true;
    this.#logger.info({ signal }, "stopping");
    setTimeout(() => {
      this.#logger.warn("the clean stop took too long");
      process.exit(0);
    }, stopTimeoutMs).unref();
    this.#host.stop(() => {
      this.#port.close();
      this.#loop?.stop();
      setTimeout(() => {
        this.#port.destroy();
        this.#metricsPort.destroy();
        this.#transport.close();
        process.exit(0);
      }, 50);
    });
  }

  async #bound<T>(what: string, host: string, port: number, binding: Promise<T>): Promise<void> {
    try {
      await binding;
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code ?? String(error);
      const why = code === "EADDRINUSE" ? "the port is in use" : code;
      this.#fatal(ExitCode.Usage, `cannot listen for ${what} traffic on ${host}:${port}: ${why}`);
    }
  }

  /** The lines that process supervisors wait for (etcd-api.md §2.2), once. */
  #announce(): void {
    if (this.#ready) {
      return;
    }
    const status = this.#host.status();
    const named = status.members.some(({ raftId }) => raftId === status.raftId);
    if (status.phase !== Phase.Running || status.leaderMemberId === "" || !named) {
      return;
    }
    this.#ready = true;
    this.#logger.info({ version: this.#options.etcdVersion }, "enabled capabilities for version");
    this.#logger.info({ name: status.name, cluster: status.clusterId }, "published member");
    this.#logger.info(
      { endpoints: this.#options.host.clientUrls.join(",") },
      "ready to serve client requests",
    );
  }

  #onStall(stallMs: number): void {
    this.#metrics.onStall(stallMs);
    if (stallMs > this.#options.host.heartbeatIntervalMs) {
      this.#logger.warn({ stallMs: Math.round(stallMs) }, "event loop stalled");
    }
  }

  #onUncaught(error: unknown): never {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    const code = error instanceof AssertionError ? "assertion failed" : "unexpected error";
    return this.#fatal(ExitCode.Assertion, `${code}: ${text}`);
  }

  #restart(reason: string): never {
    this.#logger.warn({}, `beginning anew: ${reason}`);
    const why = beginAnew();
    return this.#fatal(ExitCode.Damaged, `${reason}; start this member again (${why})`);
  }

  #fatal(exitCode: ExitCode, reason: string): never {
    this.#logger.fatal({ exitCode }, reason);
    process.exit(exitCode);
  }
}
