// Prometheus metrics under etcd's names (etcd-api.md §1.6), read from the host when scraped; only
// durations are recorded as they happen.
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from "prom-client";
import type { GrpcCode } from "@quorate/grpc";
import type { HostApi } from "@quorate/host";
import { methodNames } from "../../etcd/services.ts";
import { rpcTypeOf } from "./rpc-type.ts";
import { addGauges, addNames } from "./gauges.ts";

/** etcd's buckets: 1 ms doubling, 14 of them. */
const syncBuckets = Array.from({ length: 14 }, (_, at) => 0.001 * 2 ** at);
const roundTripBuckets = Array.from({ length: 15 }, (_, at) => 0.0001 * 2 ** at);

/** The library's own default wakes an idle process a hundred times a second. */
const loopPrecisionMs = 100;

export class Metrics {
  readonly #registry: Registry;
  readonly #handled: Counter<"grpc_service" | "grpc_method" | "grpc_code" | "grpc_type">;
  readonly #sync: Histogram;
  readonly #roundTrip: Histogram<"To">;
  readonly #stall: Histogram;
  readonly #health: readonly [failures: Counter, successes: Counter];
  readonly #checks: Counter<"type" | "name" | "status">;
  readonly #check: Gauge<"type" | "name">;

  constructor(host: HostApi, versions: { readonly server: string; readonly cluster: string }) {
    this.#registry = new Registry();
    const registers = [this.#registry];
    collectDefaultMetrics({
      register: this.#registry,
      eventLoopMonitoringPrecision: loopPrecisionMs,
    });
    this.#handled = new Counter({
      name: "grpc_server_handled_total",
      help: "Total number of RPCs completed on the server, regardless of success or failure.",
      labelNames: ["grpc_service", "grpc_method", "grpc_code", "grpc_type"],
      registers,
    });
    this.#sync = new Histogram({
      name: "etcd_disk_wal_fsync_duration_seconds",
      help: "The latency distributions of fsync called by WAL.",
      buckets: syncBuckets,
      registers,
    });
    this.#roundTrip = new Histogram({
      name: "etcd_network_peer_round_trip_time_seconds",
      help: "Round-Trip-Time histogram between peers.",
      labelNames: ["To"],
      buckets: roundTripBuckets,
      registers,
    });
    this.#stall = new Histogram({
      name: "quorate_event_loop_stall_seconds",
      help: "Stalls of the event loop longer than five ticks.",
      buckets: syncBuckets,
      registers,
    });
    this.#health = [
      new Counter({
        name: "etcd_server_health_failures",
        help: "The total number of failed health checks",
        registers,
      }),
      new Counter({
        name: "etcd_server_health_success",
        help: "The total number of successful health checks",
        registers,
      }),
    ];
    this.#checks = new Counter({
      name: "etcd_server_healthchecks_total",
      help: "The total number of each kind of healthcheck.",
      labelNames: ["type", "name", "status"],
      registers,
    });
    this.#check = new Gauge({
      name: "etcd_server_healthcheck",
      help: "The result of each kind of healthcheck.",
      labelNames: ["type", "name"],
      registers,
    });
    addGauges(this.#registry, host);
    addNames(this.#registry, host, versions);
  }

  onHandled(method: number, code: GrpcCode): void {
    const names = methodNames.get(method);
    this.#handled.inc({
      grpc_service: names?.service ?? "unknown",
      grpc_method: names?.method ?? "unknown",
      grpc_code: codeNames[code] ?? "Unknown",
      grpc_type: names === undefined ? "unary" : rpcTypeOf(names.service, names.method),
    });
  }

  onHealth(ok: boolean): void {
    this.#health[ok ? 1 : 0].inc();
  }

  /** One check of /livez or /readyz. */
  onCheck(type: string, name: string, ok: boolean): void {
    this.#check.set({ type, name }, ok ? 1 : 0);
    this.#checks.inc({ type, name, status: ok ? "success" : "error" });
  }

  onSync(milliseconds: number): void {
    this.#sync.observe(milliseconds / 1000);
  }

  onRoundTrip(memberId: string, milliseconds: number): void {
    this.#roundTrip.observe({ To: memberId }, milliseconds / 1000);
  }

  onStall(milliseconds: number): void {
    this.#stall.observe(milliseconds / 1000);
  }

  /** For parts of the member that bring metrics of their own. */
  get registry(): Registry {
    return this.#registry;
  }

  async scrape(): Promise<{ readonly contentType: string; readonly text: string }> {
    return { contentType: this.#registry.contentType, text: await this.#registry.metrics() };
  }
}

const codeNames = [
  "OK",
  "Canceled",
  "Unknown",
  "InvalidArgument",
  "DeadlineExceeded",
  "NotFound",
  "AlreadyExists",
  "PermissionDenied",
  "ResourceExhausted",
  "FailedPrecondition",
  "Aborted",
  "OutOfRange",
  "Unimplemented",
  "Internal",
  "Unavailable",
  "DataLoss",
  "Unauthenticated",
];
