// The flags of `quorate serve`: etcd's, from 3.4 to 3.7, one row each, and ours. A row says what a
// value is and what becomes of it; flag, environment and configuration file all read this table.

export const FlagKind = { Text: 1, Bool: 2, Int: 3 } as const;
export type FlagKind = (typeof FlagKind)[keyof typeof FlagKind];

export const FlagState = {
  /** Does what etcd's does. */
  Used: 1,
  /** Accepted so that existing command lines work; has no effect, and the log says so. */
  Ignored: 2,
  /** Would change safety or security and is not built: refused when set. */
  Refused: 3,
} as const;
export type FlagState = (typeof FlagState)[keyof typeof FlagState];

export interface Flag {
  readonly name: string;
  readonly kind: FlagKind;
  readonly state: FlagState;
  readonly help: string;
  /** Name in a TOML file, with its unit. */
  readonly toml: string;
}

const { Text, Bool, Int } = FlagKind;

function used(name: string, kind: FlagKind, help: string, toml: string = snake(name)): Flag {
  return { name, kind, state: FlagState.Used, help, toml };
}

function snake(name: string): string {
  return name.replaceAll("-", "_");
}

const usedFlags: readonly Flag[] = [
  used("name", Text, "human-readable name of this member (default: default)"),
  used("data-dir", Text, "path of the data directory (default: NAME.quorate)"),
  used("wal-dir", Text, "path of a separate directory for the write-ahead log"),
  used("listen-peer-urls", Text, "URLs to listen on for peers (default: http://localhost:2380)"),
  used(
    "listen-client-urls",
    Text,
    "URLs to listen on for clients (default: http://localhost:2379)",
  ),
  used("initial-advertise-peer-urls", Text, "this member's peer URLs as the others reach them"),
  used("advertise-client-urls", Text, "this member's client URLs as clients reach them"),
  used("initial-cluster", Text, "all members of the cluster: name=peerURL,…"),
  used("initial-cluster-state", Text, "new, or existing: join a running cluster (default: new)"),
  used("initial-cluster-token", Text, "tells clusters apart (default: etcd-cluster)"),
  used(
    "force-new-cluster",
    Bool,
    "go on as a cluster of this member alone (better: quorate recover)",
  ),
  used("heartbeat-interval", Int, "ms between heartbeats (default: 100)", "heartbeat_interval_ms"),
  used(
    "election-timeout",
    Int,
    "ms of silence before an election (default: 1000)",
    "election_timeout_ms",
  ),
  used(
    "election-timeout-randomization",
    Int,
    "ms of random wait on top of it (default: the election timeout)",
    "election_timeout_randomization_ms",
  ),
  used(
    "election-rank-slot",
    Int,
    "ms between turns of ranked successors; 0: random waits (default: 0)",
    "election_rank_slot_ms",
  ),
  used(
    "late-vote-answers",
    Bool,
    "votes asked for too early are kept, not refused (default: false)",
  ),
  used("max-request-bytes", Int, "largest client request (default: 1572864)"),
  used("max-txn-ops", Int, "operations in a transaction (default: 128)"),
  used(
    "quota-backend-bytes",
    Text,
    "live bytes above which puts are refused; below 0: none (default: 2 GiB)",
  ),
  used(
    "watch-progress-notify-interval",
    Text,
    "time between words of progress to idle watchers (default: 10m)",
  ),
  used("max-concurrent-streams", Int, "calls at a time on one connection (default: 2048)"),
  used("snapshot-catchup-entries", Int, "log entries kept for slow followers (default: 20000)"),
  used(
    "snapshot-rate",
    Int,
    "MiB a second of a snapshot, at most; 16 for a busy leader (default: 64)",
    "snapshot_rate_mib_per_second",
  ),
  used(
    "checkpoint-interval",
    Int,
    "ms of load between checkpoints, at most (default: 5000)",
    "checkpoint_interval_ms",
  ),
  used("log-level", Text, "debug, info, warn, error or fatal (default: info)"),
  used("log-format", Text, "json or text (default: json, text on a terminal)"),
  used("listen-client-http-urls", Text, "URLs for HTTP alone; the other client URLs: gRPC alone"),
  used("listen-metrics-urls", Text, "more URLs for /metrics, /health, /livez and /readyz alone"),
  used("cors", Text, "origins of web pages that may send requests; '*': any (default: none)"),
  used("host-whitelist", Text, "hosts that HTTP requests may ask for; '*': any (default: any)"),
  used("enable-grpc-gateway", Bool, "serve the JSON gateway at /v3/ (default: true)"),
  used("compat-version", Text, "etcd version that clients are told (default: 3.5.21)"),
  used("config-file", Text, "YAML (etcd's names) or TOML (names with units); flags win over it"),
];

const ignoredText =
  "auto-compaction-mode auto-compaction-retention auth-token auth-token-ttl " +
  "backend-batch-interval backend-batch-limit backend-bbolt-freelist-type bcrypt-cost " +
  "bootstrap-defrag-threshold-megabytes compact-hash-check-time compaction-batch-limit " +
  "compaction-sleep-interval corrupt-check-time discovery-fallback discovery-proxy " +
  "distributed-tracing-address distributed-tracing-instance-id distributed-tracing-sampling-rate " +
  "distributed-tracing-service-name downgrade-check-time feature-gates grpc-keepalive-interval " +
  "grpc-keepalive-min-time grpc-keepalive-timeout " +
  "log-outputs log-package-levels log-rotation-config-json logger max-learners " +
  "max-snapshots max-wals metrics proxy proxy-dial-timeout proxy-failure-wait proxy-read-timeout " +
  "proxy-refresh-interval proxy-write-timeout raft-read-timeout " +
  "raft-write-timeout self-signed-cert-validity snapshot-count tls-max-version tls-min-version " +
  "v2-deprecation warning-apply-duration warning-unary-request-duration";

const ignoredBoolText =
  "compact-hash-check-enabled debug enable-distributed-tracing " +
  "enable-log-rotation enable-pprof enable-v2 initial-corrupt-check " +
  "initial-election-tick-advance memory-mlock pre-vote socket-reuse-address socket-reuse-port " +
  "stop-grpc-service-on-defrag strict-reconfig-check txn-mode-write-with-shared-buffer " +
  "enable-lease-checkpoint enable-lease-checkpoint-persist";

const refusedText =
  "cert-file key-file client-cert-file client-key-file trusted-ca-file client-crl-file " +
  "client-cert-allowed-hostname peer-cert-file peer-key-file peer-client-cert-file " +
  "peer-client-key-file peer-trusted-ca-file peer-crl-file peer-cert-allowed-cn " +
  "peer-cert-allowed-hostname cipher-suites discovery discovery-srv discovery-srv-name " +
  "discovery-endpoints discovery-token discovery-dial-timeout discovery-request-timeout " +
  "discovery-keepalive-time discovery-keepalive-timeout discovery-cert discovery-key " +
  "discovery-cacert discovery-user discovery-password";

const refusedBoolText =
  "auto-tls peer-auto-tls client-cert-auth peer-client-cert-auth unsafe-no-fsync " +
  "peer-skip-client-san-verification discovery-insecure-transport " +
  "discovery-insecure-skip-tls-verify";

/** etcd 3.4 to 3.6 knew these under an experimental name as well. */
const experimentalText =
  "bootstrap-defrag-threshold-megabytes compact-hash-check-time compaction-batch-limit " +
  "compaction-sleep-interval corrupt-check-time distributed-tracing-address " +
  "distributed-tracing-instance-id distributed-tracing-sampling-rate " +
  "distributed-tracing-service-name downgrade-check-time enable-v2v3 snapshot-catchup-entries " +
  "warning-apply-duration warning-unary-request-duration max-learners " +
  "backend-bbolt-freelist-type";

const experimentalBoolText =
  "compact-hash-check-enabled enable-distributed-tracing enable-lease-checkpoint " +
  "enable-lease-checkpoint-persist initial-corrupt-check memory-mlock " +
  "stop-grpc-service-on-defrag txn-mode-write-with-shared-buffer";

function rows(text: string, kind: FlagKind, state: FlagState, prefix: string = ""): Flag[] {
  return text.split(" ").map((word) => {
    const name = `${prefix}${word}`;
    return { name, kind, state, help: "", toml: snake(name) };
  });
}

export const flags: readonly Flag[] = [
  ...usedFlags,
  ...rows(ignoredText, Text, FlagState.Ignored),
  ...rows(ignoredBoolText, Bool, FlagState.Ignored),
  ...rows(refusedText, Text, FlagState.Refused),
  ...rows(refusedBoolText, Bool, FlagState.Refused),
  ...rows(experimentalText, Text, FlagState.Ignored, "experimental-"),
  ...rows(experimentalBoolText, Bool, FlagState.Ignored, "experimental-"),
  ...rows("peer-skip-client-san-verification", Bool, FlagState.Refused, "experimental-"),
  used(
    "experimental-watch-progress-notify-interval",
    Text,
    "as --watch-progress-notify-interval, by its name before etcd 3.6",
  ),
];

export const flagsByName: ReadonlyMap<string, Flag> = new Map(flags.map((f) => [f.name, f]));

/** Names that are ours and not etcd's: their environment variables begin with QUORATE_. */
const ownNames = new Set([
  "election-timeout-randomization",
  "election-rank-slot",
  "late-vote-answers",
  "compat-version",
  "checkpoint-interval",
  "snapshot-rate",
]);

export function environmentName(flag: Flag): string {
  const prefix = ownNames.has(flag.name) ? "QUORATE_" : "ETCD_";
  return prefix + flag.name.toUpperCase().replaceAll("-", "_");
}
