// The flags of `quorate serve`: etcd's, from 3.4 to 3.7, one row each, and ours. A row says what a
// value is and what becomes of it; flag, environment and configuration file all read this table.

import { limitRows } from "./limit-flags.ts";

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

const tlsFlags: readonly Flag[] = [
  used("cert-file", Text, "certificate for clients, PEM, with those above it (https URLs)"),
  used("key-file", Text, "its key, PEM"),
  used("trusted-ca-file", Text, "who may sign clients' certificates; then each has to show one"),
  used("client-cert-auth", Bool, "clients must show one, and its CN is the name of a user"),
  used("client-crl-file", Text, "clients' certificates that are revoked, PEM or DER"),
  used("client-cert-allowed-hostname", Text, "hosts, of which a client's certificate names one"),
  used("auto-tls", Bool, "a certificate for clients that the member makes for itself"),
  used("peer-cert-file", Text, "certificate for peers, PEM, with those above it (https URLs)"),
  used("peer-key-file", Text, "its key, PEM"),
  used(
    "peer-client-cert-file",
    Text,
    "what is shown to peers that are dialled (default: the same)",
  ),
  used("peer-client-key-file", Text, "its key, PEM"),
  used("peer-trusted-ca-file", Text, "who may sign peers' certificates; then each has to show one"),
  used("peer-client-cert-auth", Bool, "peers must show a certificate"),
  used("peer-crl-file", Text, "peers' certificates that are revoked, PEM or DER"),
  used("peer-cert-allowed-cn", Text, "names (CN) that peers' certificates may have"),
  used("peer-cert-allowed-hostname", Text, "hosts, of which a peer's certificate names one"),
  used(
    "peer-skip-client-san-verification",
    Bool,
    "a peer's certificate need not name the address that it comes from",
  ),
  used("peer-auto-tls", Bool, "a certificate for peers that the member makes for itself"),
  used("self-signed-cert-validity", Int, "years that these last (default: 1)"),
  used("tls-min-version", Text, "TLS1.2 or TLS1.3 (default: TLS1.2)"),
  used("tls-max-version", Text, "TLS1.2 or TLS1.3 (default: TLS1.3)"),
  used("cipher-suites", Text, "Go's names of those for TLS 1.2 (default: all that are strong)"),
];

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
  used("auth-token", Text, "simple, or jwt,sign-method=…,priv-key=…,pub-key=…,ttl=…"),
  used("auth-token-ttl", Int, "seconds of a simple token without use (default: 300)"),
  used("bcrypt-cost", Int, "cost of hashing a password, 4 to 31 (default: 10)"),
  used("log-level", Text, "debug, info, warn, error or fatal (default: info)"),
  used("log-format", Text, "json or text (default: json, text on a terminal)"),
  used("listen-client-http-urls", Text, "URLs for HTTP alone; the other client URLs: gRPC alone"),
  used("listen-metrics-urls", Text, "more URLs for /metrics, /health, /livez and /readyz alone"),
  used("cors", Text, "origins of web pages that may send requests; '*': any (default: none)"),
  used("host-whitelist", Text, "hosts that HTTP requests may ask for; '*': any (default: any)"),
  used("enable-grpc-gateway", Bool, "serve the JSON gateway at /v3/ (default: true)"),
  ...limitRows.map(({ name, isDuration, help }) => used(name, isDuration ? Text : Int, help)),
  ...tlsFlags,
  used("compat-version", Text, "etcd version that clients are told (default: 3.5.21)"),
  used("config-file", Text, "YAML (etcd's names) or TOML (names with units); flags win over it"),
];

const ignoredText =
  "client-cert-file client-key-file " +
  "auto-compaction-mode auto-compaction-retention " +
  "backend-batch-interval backend-batch-limit backend-bbolt-freelist-type " +
  "bootstrap-defrag-threshold-megabytes compact-hash-check-time compaction-batch-limit " +
  "compaction-sleep-interval corrupt-check-time discovery-fallback discovery-proxy " +
  "distributed-tracing-address distributed-tracing-instance-id distributed-tracing-sampling-rate " +
  "distributed-tracing-service-name downgrade-check-time feature-gates " +
  "log-outputs log-package-levels log-rotation-config-json logger " +
  "max-snapshots max-wals metrics proxy proxy-dial-timeout proxy-failure-wait proxy-read-timeout " +
  "proxy-refresh-interval proxy-write-timeout raft-read-timeout " +
  "raft-write-timeout snapshot-count " +
  "v2-deprecation warning-apply-duration warning-unary-request-duration";

const ignoredBoolText =
  "compact-hash-check-enabled debug enable-distributed-tracing " +
  "enable-log-rotation enable-pprof enable-v2 initial-corrupt-check " +
  "initial-election-tick-advance memory-mlock pre-vote socket-reuse-address socket-reuse-port " +
  "stop-grpc-service-on-defrag strict-reconfig-check txn-mode-write-with-shared-buffer " +
  "enable-lease-checkpoint enable-lease-checkpoint-persist";

const refusedText =
  "discovery discovery-srv discovery-srv-name " +
  "discovery-endpoints discovery-token discovery-dial-timeout discovery-request-timeout " +
  "discovery-keepalive-time discovery-keepalive-timeout discovery-cert discovery-key " +
  "discovery-cacert discovery-user discovery-password";

const refusedBoolText =
  "unsafe-no-fsync discovery-insecure-transport discovery-insecure-skip-tls-verify";

/** etcd 3.4 to 3.6 knew these under an experimental name as well. */
const experimentalText =
  "bootstrap-defrag-threshold-megabytes compact-hash-check-time compaction-batch-limit " +
  "compaction-sleep-interval corrupt-check-time distributed-tracing-address " +
  "distributed-tracing-instance-id distributed-tracing-sampling-rate " +
  "distributed-tracing-service-name downgrade-check-time enable-v2v3 snapshot-catchup-entries " +
  "warning-apply-duration warning-unary-request-duration " +
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
  used(
    "experimental-peer-skip-client-san-verification",
    Bool,
    "as --peer-skip-client-san-verification, by its name before etcd 3.6",
  ),
  used(
    "experimental-watch-progress-notify-interval",
    Text,
    "as --watch-progress-notify-interval, by its name before etcd 3.6",
  ),
  used("experimental-max-learners", Int, "as --max-learners, by its name before etcd 3.6"),
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
  ...limitRows.filter((row) => row.isOwn).map((row) => row.name),
]);

export function environmentName(flag: Flag): string {
  const prefix = ownNames.has(flag.name) ? "QUORATE_" : "ETCD_";
  return prefix + flag.name.toUpperCase().replaceAll("-", "_");
}
