// The bounds of a member that are flags, a row each: etcd's where it has them. docs/LIMITS.md says what a
// client hears past each, and which test shows it. What the replicated state is bounded by (leases, users,
// rights) is no flag: apply must come to the same on every member.
import { hostDefaults } from "@quorate/host";
import { keepAliveDefaults, memberLimitDefaults } from "@quorate/server";
import { UsageError } from "../exit.ts";
import { parseDurationMs } from "./duration.ts";

export interface LimitFlag {
  readonly name: string;
  readonly help: string;
  readonly fallback: number;
  readonly min: number;
  readonly max: number;
  /** A number, or a duration of Go's. */
  readonly isDuration: boolean;
  /** Ours: etcd does not know it. */
  readonly isOwn: boolean;
}

const most = Number.MAX_SAFE_INTEGER;
/** A timer of the runtime holds no more. */
const durationMsMax = 2_147_483_647;

function own(name: string, fallback: number, help: string, min: number = 1): LimitFlag {
  return { name, help, fallback, min, max: most, isDuration: false, isOwn: true };
}

function etcds(name: string, fallback: number, help: string, max: number): LimitFlag {
  return { name, help, fallback, min: 1, max, isDuration: false, isOwn: false };
}

function duration(name: string, fallback: number, help: string): LimitFlag {
  return { name, help, fallback, min: 1, max: durationMsMax, isDuration: true, isOwn: false };
}

const host = hostDefaults;
const server = memberLimitDefaults;

export const limitFlags = {
  streamsPerConnection: etcds(
    "max-concurrent-streams",
    server.streamsPerConnectionMax,
    "calls at a time on one connection (default: 2048)",
    2 ** 32 - 1,
  ),
  streams: own("max-streams", server.streamsMax, "calls at a time on all of them (default: 65536)"),
  connections: own(
    "max-connections",
    server.connectionsMax,
    "connections of clients (default: 10000, at most 0.7 of the open files)",
  ),
  connectionsPerAddress: own(
    "max-connections-per-address",
    server.connectionsPerAddressMax,
    "of one address (default: 1000)",
  ),
  connectionsFromLoopback: own(
    "max-connections-from-loopback",
    server.connectionsFromLoopbackMax,
    "of one loopback address (default: 10000)",
  ),
  handshakes: own(
    "max-tls-handshakes",
    server.handshakesMax,
    "TLS handshakes at a time, a quarter of an address (default: 256)",
    4,
  ),
  keepAliveMinTime: duration(
    "grpc-keepalive-min-time",
    keepAliveDefaults.minTimeMs,
    "between two pings of a client, at least (default: 5s)",
  ),
  keepAliveInterval: duration(
    "grpc-keepalive-interval",
    keepAliveDefaults.intervalMs,
    "silence after which a client is pinged (default: 2h)",
  ),
  keepAliveTimeout: duration(
    "grpc-keepalive-timeout",
    keepAliveDefaults.timeoutMs,
    "after which one that does not answer is let go (default: 20s)",
  ),
  watchersPerStream: own(
    "max-watchers-per-stream",
    host.watchersPerStreamMax,
    "watchers of one stream (default: 10000)",
  ),
  watchersPerConnection: own(
    "max-watchers-per-connection",
    host.watchersPerConnectionMax,
    "of one connection (default: 50000)",
  ),
  watchers: own("max-watchers", host.watchersMax, "of this member (default: 1000000)"),
  watchStreamBuffer: own(
    "watch-stream-buffer-bytes",
    host.watchStreamBufferBytes,
    "events of a stream that its client has not taken (default: 1 MiB)",
    65_536,
  ),
  watchBuffer: own(
    "watch-buffer-bytes",
    host.watchBufferBytes,
    "of all streams (default: 256 MiB)",
    1_048_576,
  ),
  rangeBytes: own(
    "max-range-bytes",
    host.rangeBytesMax,
    "largest answer to a read (default: 512 MiB)",
  ),
  rangeBytesInFlight: own(
    "max-range-bytes-in-flight",
    server.replyBytesMax,
    "answers that clients have not taken, in all (default: 512 MiB)",
  ),
  requests: own("max-requests", host.requestsMax, "writes, and reads, that wait (default: 20000)"),
  requestBytesInFlight: own(
    "max-request-bytes-in-flight",
    host.requestBytesInFlightMax,
    "bytes of writes that wait (default: 64 MiB)",
  ),
  applyGap: own(
    "max-apply-gap",
    host.applyGapMax,
    "entries committed and not applied, before writes wait (default: 5000)",
  ),
  leaseRevokes: own(
    "lease-revoke-rate",
    host.leaseRevokesPerSecondMax,
    "leases ended in a second (default: 1000)",
  ),
  learners: etcds(
    "max-learners",
    host.learnersMax,
    "members that are to stay learners, 9 at most (default: 1)",
    9,
  ),
} as const satisfies Record<string, LimitFlag>;

export const limitRows: readonly LimitFlag[] = Object.values(limitFlags);

/** Go writes them into YAML as whole nanoseconds. */
function durationMsOf(text: string): number | null {
  return /^[0-9]+$/.test(text) ? Number(text) / 1_000_000 : parseDurationMs(text);
}

/** By the values that were set; `before`: an older name of it. */
export function limitOf(
  values: ReadonlyMap<string, string>,
  flag: LimitFlag,
  before: string = "",
): number {
  const text = values.get(flag.name) ?? values.get(before);
  if (text === undefined) return flag.fallback;
  const value = flag.isDuration ? durationMsOf(text) : Number(text);
  if (value === null) throw new UsageError(`--${flag.name}: "${text}" is no duration like 10s`);
  const unit = flag.isDuration ? "ms" : "";
  if (value < flag.min) throw new UsageError(`--${flag.name}: ${text} is below ${flag.min}${unit}`);
  if (value > flag.max) throw new UsageError(`--${flag.name}: ${text} is above ${flag.max}${unit}`);
  return value;
}
