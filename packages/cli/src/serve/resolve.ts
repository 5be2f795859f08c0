// From settings to a member's options: defaults, relations between values, etcd's ids. Everything is
// checked before anything on disk is touched.
import { hostDefaults, requestBytesLimit, votersMax } from "@quorate/host";
import type { HostConfig, ListedMember } from "@quorate/host";
import {
  bcryptCostDefault,
  bcryptCostMax,
  bcryptCostMin,
  clusterIdOf,
  connectionsThatFit,
  logLevels,
  makeLogger,
  memberIdOf,
  openFilesMax,
  parseAuthToken,
  tokenTtlSecondsDefault,
  tokenTtlSecondsMax,
} from "@quorate/server";
import type { AuthOptions, LogLevel, MemberLimits, MemberOptions } from "@quorate/server";
import { storageDefaults } from "@quorate/storage";
import { UsageError } from "../exit.ts";
import { compatVersionDefault, quorateVersion } from "../version.ts";
import { addressOf, hostAndPort, parseInitialCluster, parseUrls } from "./cluster-list.ts";
import { parseDurationMs } from "./duration.ts";
import { limitFlags, limitOf } from "./limit-flags.ts";
import { resolveTls } from "./resolve-tls.ts";
import type { Settings } from "./settings.ts";

const defaultToken = "etcd-cluster";

const electionTimeoutMsMax = 50_000;
const mebibyte = 1_048_576;
/** As etcd's: such requests are for another kind of store. */
const requestBytesWarned = 10 * mebibyte;

export function resolveMember(settings: Settings, terminal: boolean): MemberOptions {
  const text = (name: string, fallback: string): string => settings.values.get(name) ?? fallback;
  const name = text("name", "default");
  const listenPeer = parseUrls(
    text("listen-peer-urls", "http://localhost:2380"),
    "listen-peer-urls",
  );
  const listenClient = parseUrls(
    text("listen-client-urls", "http://localhost:2379"),
    "listen-client-urls",
  );
  const host = resolveHost(settings, name, listenPeer, listenClient);
  const level = text("log-level", "info");
  if (!isLogLevel(level)) {
    throw new UsageError(`--log-level: "${level}" is none of ${logLevels.join(", ")}`);
  }
  const format = text("log-format", terminal ? "text" : "json");
  if (format !== "json" && format !== "text" && format !== "console") {
    throw new UsageError(`--log-format: "${format}" is neither json nor text`);
  }
  const etcdVersion = checkedVersion(text("compat-version", compatVersionDefault));
  const listenHttp = urls(settings, "listen-client-http-urls");
  const listenMetrics = urls(settings, "listen-metrics-urls");
  const logger = makeLogger(name, level, format === "json" ? "json" : "text");
  const own = host.members.find((member) => member.memberId === host.memberId)!;
  const tls = resolveTls(settings, {
    client: {
      listen: [...listenClient, ...listenHttp, ...listenMetrics],
      advertised: host.clientUrls,
    },
    peer: { listen: listenPeer, advertised: own.peerUrls },
    directory: host.directory,
    warn: (warning) => logger.warn({}, warning),
  });
  if (host.requestBytesMax > requestBytesWarned) {
    logger.warn(
      { bytes: host.requestBytesMax },
      "--max-request-bytes is above the recommended 10 MiB",
    );
  }
  return {
    host,
    listenPeer: listenPeer.map(hostAndPort),
    listenClient: listenClient.map(hostAndPort),
    limits: memberLimitsOf(settings, openFilesMax()),
    version: quorateVersion,
    etcdVersion,
    http: {
      cors: list(settings, "cors"),
      hostWhitelist: list(settings, "host-whitelist"),
      gateway: boolean(settings, "enable-grpc-gateway", true),
      listenClient: listenHttp.map(hostAndPort),
      listenMetrics: listenMetrics.map(hostAndPort),
    },
    tls,
    auth: authOf(settings),
    logger,
  };
}

/** Clients take it apart into numbers, and decide by them what the server can. */
function checkedVersion(text: string): string {
  if (!/^[0-9]+\.[0-9]+\.[0-9]+$/.test(text)) {
    throw new UsageError(`--compat-version: "${text}" is not three numbers like 3.5.21`);
  }
  if (!/^3\.(?:[4-9]|[1-9][0-9])\.(?:0|[1-9][0-9]{0,2})$/.test(text)) {
    throw new UsageError(`--compat-version: "${text}" is no release of etcd from 3.4.0 on`);
  }
  return text;
}

function resolveHost(
  settings: Settings,
  name: string,
  listenPeer: readonly string[],
  listenClient: readonly string[],
): HostConfig {
  const text = (flag: string, fallback: string): string => settings.values.get(flag) ?? fallback;
  const advertisePeer = parseUrls(
    text("initial-advertise-peer-urls", listenPeer.join(",")),
    "initial-advertise-peer-urls",
  );
  const token = text("initial-cluster-token", defaultToken);
  const members = listMembers(
    text("initial-cluster", advertisePeer.map((url) => `${name}=${url}`).join(",")),
    token,
  );
  const own = ownMember(members, name, advertisePeer);
  const state = text("initial-cluster-state", "new");
  if (state !== "new" && state !== "existing") {
    throw new UsageError(`--initial-cluster-state: "${state}" is neither new nor existing`);
  }
  if (state === "new" && members.length > votersMax) {
    throw new UsageError(`--initial-cluster lists ${members.length} members, ${votersMax} at most`);
  }
  const clientUrls = advertisedClientUrls(settings, listenClient);
  return {
    ...hostDefaults,
    memberId: own.memberId,
    clusterId: clusterIdOf(members.map((m) => m.memberId)),
    token,
    members,
    join: state === "existing",
    clientUrls,
    directory: text("data-dir", `${name}.quorate`),
    walDirectory: settings.values.get("wal-dir") ?? null,
    storage: storageDefaults,
    ...timesOf(settings),
    ...limitsOf(settings),
  };
}

function timesOf(
  settings: Settings,
): Pick<
  HostConfig,
  | "electionTimeoutMs"
  | "electionTimeoutRandomizationMs"
  | "electionRankSlotMs"
  | "lateVoteAnswers"
  | "heartbeatIntervalMs"
  | "requestTimeoutMs"
> {
  const defaults = hostDefaults;
  const timeoutMs = integer(settings, "election-timeout", defaults.electionTimeoutMs, 1);
  const heartbeatMs = integer(settings, "heartbeat-interval", defaults.heartbeatIntervalMs, 1);
  checkTimes(timeoutMs, heartbeatMs);
  return {
    electionTimeoutMs: timeoutMs,
    electionTimeoutRandomizationMs: integer(
      settings,
      "election-timeout-randomization",
      timeoutMs,
      0,
    ),
    electionRankSlotMs: integer(settings, "election-rank-slot", defaults.electionRankSlotMs, 0),
    lateVoteAnswers: boolean(settings, "late-vote-answers", defaults.lateVoteAnswers),
    heartbeatIntervalMs: heartbeatMs,
    requestTimeoutMs: 5000 + 2 * timeoutMs,
  };
}

function limitsOf(
  settings: Settings,
): Pick<
  HostConfig,
  | "requestBytesMax"
  | "txnOpsMax"
  | "catchUpEntriesMax"
  | "checkpointIntervalMs"
  | "snapshotBytesPerSecond"
  | "watchProgressMs"
  | "quotaBytes"
  | BoundName
> {
  const { requestBytesMax, txnOpsMax, catchUpEntriesMax, checkpointIntervalMs, tickMs } =
    hostDefaults;
  const snapshotRate = hostDefaults.snapshotBytesPerSecond / mebibyte;
  const requestBytes = integer(settings, "max-request-bytes", requestBytesMax, 1);
  const limit = requestBytesLimit(storageDefaults.walSegmentBytes);
  if (requestBytes > limit) {
    throw new UsageError(`--max-request-bytes: ${requestBytes} is above ${limit}`);
  }
  return {
    requestBytesMax: requestBytes,
    txnOpsMax: integer(settings, "max-txn-ops", txnOpsMax, 1),
    catchUpEntriesMax: integer(settings, "snapshot-catchup-entries", catchUpEntriesMax, 1),
    checkpointIntervalMs: integer(settings, "checkpoint-interval", checkpointIntervalMs, tickMs),
    snapshotBytesPerSecond: mebibyte * integer(settings, "snapshot-rate", snapshotRate, 1),
    watchProgressMs: watchProgressOf(settings),
    quotaBytes: quotaOf(settings.values.get("quota-backend-bytes") ?? "0"),
    ...boundsOf(settings),
  };
}

type BoundName =
  | "requestsMax"
  | "requestBytesInFlightMax"
  | "applyGapMax"
  | "rangeBytesMax"
  | "watchStreamBufferBytes"
  | "watchBufferBytes"
  | "watchersPerStreamMax"
  | "watchersPerConnectionMax"
  | "watchersMax"
  | "leaseRevokesPerSecondMax"
  | "learnersMax";

function boundsOf(settings: Settings): Pick<HostConfig, BoundName> {
  const of = (name: keyof typeof limitFlags): number => limitOf(settings.values, limitFlags[name]);
  return {
    requestsMax: of("requests"),
    requestBytesInFlightMax: of("requestBytesInFlight"),
    applyGapMax: of("applyGap"),
    rangeBytesMax: of("rangeBytes"),
    watchStreamBufferBytes: of("watchStreamBuffer"),
    watchBufferBytes: of("watchBuffer"),
    watchersPerStreamMax: of("watchersPerStream"),
    watchersPerConnectionMax: of("watchersPerConnection"),
    watchersMax: of("watchers"),
    leaseRevokesPerSecondMax: of("leaseRevokes"),
    learnersMax: limitOf(settings.values, limitFlags.learners, "experimental-max-learners"),
  };
}

/** `openFiles`: of the process; null: not known. */
export function memberLimitsOf(settings: Settings, openFiles: number | null): MemberLimits {
  const of = (name: keyof typeof limitFlags): number => limitOf(settings.values, limitFlags[name]);
  return {
    connectionsMax: Math.max(1, Math.min(of("connections"), connectionsThatFit(openFiles))),
    connectionsPerAddressMax: of("connectionsPerAddress"),
    connectionsFromLoopbackMax: of("connectionsFromLoopback"),
    handshakesMax: of("handshakes"),
    streamsPerConnectionMax: of("streamsPerConnection"),
    streamsMax: of("streams"),
    replyBytesMax: of("rangeBytesInFlight"),
    keepAlive: {
      minTimeMs: of("keepAliveMinTime"),
      intervalMs: of("keepAliveInterval"),
      timeoutMs: of("keepAliveTimeout"),
    },
  };
}

function watchProgressOf(settings: Settings): number {
  const name = "watch-progress-notify-interval";
  const text = settings.values.get(name) ?? settings.values.get(`experimental-${name}`);
  if (text === undefined) return hostDefaults.watchProgressMs;
  const ms = parseDurationMs(text);
  if (ms === null || ms < 100) {
    throw new UsageError(`--${name}: "${text}" is not a duration of 100ms or more, like 10m`);
  }
  return ms;
}

function authOf(settings: Settings): AuthOptions {
  const signed = parseAuthToken(settings.values.get("auth-token") ?? "simple");
  if (typeof signed === "string") throw new UsageError(`--auth-token: ${signed}`);
  const ttlSeconds = integer(settings, "auth-token-ttl", tokenTtlSecondsDefault, 1);
  if (ttlSeconds > tokenTtlSecondsMax) {
    throw new UsageError(`--auth-token-ttl: ${ttlSeconds} is above ${tokenTtlSecondsMax}`);
  }
  const bcryptCost = integer(settings, "bcrypt-cost", bcryptCostDefault, bcryptCostMin);
  if (bcryptCost > bcryptCostMax) {
    throw new UsageError(`--bcrypt-cost: ${bcryptCost} is above ${bcryptCostMax}`);
  }
  return { signed, tokenTtlMs: 1000 * ttlSeconds, bcryptCost };
}

/** As etcd: 0 is the default, below that there is none. */
function quotaOf(text: string): number {
  if (!/^-?[0-9]{1,15}$/.test(text)) {
    throw new UsageError(`--quota-backend-bytes: "${text}" is not a whole number`);
  }
  const bytes = Number(text);
  if (bytes < 0) return Number.POSITIVE_INFINITY;
  return bytes === 0 ? hostDefaults.quotaBytes : bytes;
}

/** Where it listens, unless that is every address: nobody can dial 0.0.0.0 (etcd refuses it too). */
function advertisedClientUrls(settings: Settings, listenClient: readonly string[]): string[] {
  const advertised = settings.values.get("advertise-client-urls");
  if (advertised !== undefined) {
    return parseUrls(advertised, "advertise-client-urls");
  }
  const wildcard = listenClient.find((url) => /^(?:0\.0\.0\.0|::)$/.test(hostAndPort(url).host));
  if (wildcard !== undefined) {
    throw new UsageError(
      `--advertise-client-urls is required: clients cannot dial ${wildcard} (--listen-client-urls)`,
    );
  }
  return [...listenClient];
}

function listMembers(text: string, token: string): ListedMember[] {
  return [...parseInitialCluster(text)].map(([name, peerUrls]) => ({
    memberId: memberIdOf(peerUrls, token),
    name,
    peerUrls,
    peerAddresses: peerUrls.map(addressOf),
  }));
}

function ownMember(
  members: readonly ListedMember[],
  name: string,
  advertisePeer: readonly string[],
): ListedMember {
  const own = members.find((m) => m.name === name);
  if (own === undefined) {
    const listed = members.map((m) => m.name).join(", ");
    throw new UsageError(
      `--initial-cluster does not list this member's name "${name}" (it lists ${listed})`,
    );
  }
  if (own.peerUrls.join() !== advertisePeer.join()) {
    throw new UsageError(
      `--initial-cluster says ${name}=${own.peerUrls.join()}, ` +
        `but --initial-advertise-peer-urls says ${advertisePeer.join()}`,
    );
  }
  return own;
}

/** etcd's rules (etcd-api.md §1.5), in etcd's words. */
function checkTimes(electionTimeoutMs: number, heartbeatIntervalMs: number): void {
  if (electionTimeoutMs < 5 * heartbeatIntervalMs) {
    throw new UsageError(
      `--election-timeout[${electionTimeoutMs}ms] should be at least as 5 times as ` +
        `--heartbeat-interval[${heartbeatIntervalMs}ms]`,
    );
  }
  if (electionTimeoutMs > electionTimeoutMsMax) {
    throw new UsageError(
      `--election-timeout[${electionTimeoutMs}ms] is too long, and should be set less than ` +
        `${electionTimeoutMsMax}ms`,
    );
  }
}

/** Empty: not set. */
function urls(settings: Settings, name: string): string[] {
  const text = settings.values.get(name) ?? "";
  return text === "" ? [] : parseUrls(text, name);
}

/** null: not set. */
function list(settings: Settings, name: string): string[] | null {
  const text = settings.values.get(name);
  if (text === undefined) return null;
  return text
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== "");
}

function integer(settings: Settings, name: string, fallback: number, min: number): number {
  const text = settings.values.get(name);
  const value = text === undefined ? fallback : Number(text);
  if (value < min) {
    throw new UsageError(`--${name}: ${value} is below ${min}`);
  }
  return value;
}

function boolean(settings: Settings, name: string, fallback: boolean): boolean {
  const text = settings.values.get(name);
  return text === undefined ? fallback : text === "true";
}

function isLogLevel(text: string): text is LogLevel {
  return (logLevels as readonly string[]).includes(text);
}
