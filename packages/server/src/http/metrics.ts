// Prometheus metrics under etcd's names (etcd-api.md §1.6), read from the host when scraped; only
// durations are recorded as they happen.
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from "prom-client";
import type { GrpcCode } from "@quorate/grpc";
import type { HostApi, HostStatus } from "@quorate/host";
import { alarmNames } from "@quorate/kv";
import { databaseBytes, databaseBytesInUse } from "../etcd/database-size.ts";
import { methodNames } from "../etcd/services.ts";

/** etcd's buckets: 1 ms doubling, 14 of them. */
const syncBuckets = Array.from({ length: 14 }, (_, at) => 0.001 * 2 ** at);
const roundTripBuckets = Array.from({ length: 15 }, (_, at) => 0.0001 * 2 ** at);

export class Metrics {
  readonly #registry: Registry;
  readonly #handled: Counter<"grpc_service" | "grpc_method" | "grpc_code" | "grpc_type">;
  readonly #sync: Histogram;
  readonly #roundTrip: Histogram<"To">;
  readonly #stall: Histogram;

  constructor(host: HostApi, version: string, clusterVersion: string) {
    this.#registry = new Registry();
    const registers = [this.#registry];
    collectDefaultMetrics({ register: this.#registry });
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
    for (const gauge of gauges) {
      new Gauge({
        name: gauge.name,
        help: gauge.help,
        registers,
        collect() {
          this.set(gauge.read(host.status(), host));
        },
      });
    }
    new Gauge({
      name: "quorate_alarm_active",
      help: "1 for each active alarm, by the member that it is about.",
      labelNames: ["type", "member_id"],
      registers,
      collect() {
        this.reset();
        for (const { type, memberId } of host.status().alarms) {
          this.set({ type: alarmNames[type], member_id: memberId }, 1);
        }
      },
    });
    new Gauge({
      name: "etcd_server_version",
      help: "Which version is running. 1 for 'server_version' label with current version.",
      labelNames: ["server_version"],
      registers,
    }).set({ server_version: version }, 1);
    new Gauge({
      name: "etcd_cluster_version",
      help: "Which version is running. 1 for 'cluster_version' label with current cluster version.",
      labelNames: ["cluster_version"],
      registers,
    }).set({ cluster_version: clusterVersion }, 1);
  }

  onHandled(method: number, code: GrpcCode): void {
    const names = methodNames.get(method);
    this.#handled.inc({
      grpc_service: names?.service ?? "unknown",
      grpc_method: names?.method ?? "unknown",
      grpc_code: codeNames[code] ?? "Unknown",
      grpc_type: "unary",
    });
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

interface GaugeRow {
  readonly name: string;
  readonly help: string;
  readonly read: (status: HostStatus, host: HostApi) => number;
}

const gauges: readonly GaugeRow[] = [
  {
    name: "etcd_server_has_leader",
    help: "Whether or not a leader exists. 1 is existence, 0 is not.",
    read: (s) => (s.leaderMemberId === "" ? 0 : 1),
  },
  {
    name: "etcd_server_is_leader",
    help: "Whether or not this member is a leader. 1 if is, 0 otherwise.",
    read: (s) => (s.leaderMemberId === s.memberId ? 1 : 0),
  },
  {
    name: "etcd_server_leader_changes_seen_total",
    help: "The number of leader changes seen.",
    read: (_s, host) => host.counters().leaderChanges,
  },
  {
    name: "etcd_server_proposals_committed_total",
    help: "The total number of consensus proposals committed.",
    read: (_s, host) => host.counters().proposalsCommitted,
  },
  {
    name: "etcd_server_proposals_applied_total",
    help: "The total number of consensus proposals applied.",
    read: (_s, host) => host.counters().proposalsApplied,
  },
  {
    name: "etcd_server_proposals_pending",
    help: "The current number of pending proposals to commit.",
    read: (_s, host) => host.counters().proposalsPending,
  },
  {
    name: "etcd_server_proposals_failed_total",
    help: "The total number of failed proposals seen.",
    read: (_s, host) => host.counters().proposalsFailed,
  },
  {
    name: "etcd_server_slow_read_indexes_total",
    help: "The total number of pending read indexes not in sync with leader's or timed out.",
    read: (_s, host) => host.counters().slowReadIndexes,
  },
  {
    name: "etcd_server_is_learner",
    help: "Whether or not this member is a learner. 1 if is, 0 otherwise.",
    read: (s) => (s.members.some((m) => m.memberId === s.memberId && m.isLearner) ? 1 : 0),
  },
  {
    name: "etcd_mvcc_db_total_size_in_bytes",
    help: "Total size of the underlying database physically allocated in bytes.",
    read: databaseBytes,
  },
  {
    name: "etcd_mvcc_db_total_size_in_use_in_bytes",
    help: "Total size of the underlying database logically in use in bytes.",
    read: databaseBytesInUse,
  },
  {
    name: "etcd_server_quota_backend_bytes",
    help: "Current backend storage quota size in bytes.",
    read: (s) => s.quotaBytes,
  },
  {
    name: "etcd_debugging_mvcc_keys_total",
    help: "Total number of keys.",
    read: (s) => s.keys,
  },
  {
    name: "etcd_debugging_mvcc_current_revision",
    help: "The current revision of store.",
    read: (s) => s.revision,
  },
  {
    name: "etcd_debugging_mvcc_compact_revision",
    help: "The revision of the last compaction in store.",
    read: (s) => s.compactRevision,
  },
  {
    name: "quorate_raft_term",
    help: "The present term.",
    read: (s) => s.term,
  },
  {
    name: "quorate_wal_bytes",
    help: "Bytes of the write-ahead log on disk.",
    read: (s) => s.usage?.walBytes ?? 0,
  },
  {
    name: "quorate_scrubbed_bytes_total",
    help: "Bytes of log and rows that this process has reread to find rot.",
    read: (s) => s.usage?.scrubbedBytes ?? 0,
  },
  {
    name: "quorate_requests_in_flight",
    help: "Client operations waiting in this member.",
    read: (s) => s.requestsInFlight,
  },
];
