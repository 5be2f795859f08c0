// What a member takes of clients, all ports and connections together; the host's own bounds stand in its
// configuration.
import { keepAliveDefaults } from "@quorate/grpc";
import type { KeepAliveLimits } from "@quorate/grpc";

export interface MemberLimits {
  /** Above it a connection is closed at once. */
  readonly connectionsMax: number;
  readonly connectionsPerAddressMax: number;
  readonly connectionsFromLoopbackMax: number;
  /** TLS handshakes at a time, of clients and of peers each; a quarter of them of one address. */
  readonly handshakesMax: number;
  readonly streamsPerConnectionMax: number;
  readonly streamsMax: number;
  /** Of unary answers that clients have not taken. */
  readonly replyBytesMax: number;
  readonly keepAlive: KeepAliveLimits;
}

export const memberLimitDefaults: MemberLimits = {
  connectionsMax: 10_000,
  connectionsPerAddressMax: 1000,
  connectionsFromLoopbackMax: 10_000,
  handshakesMax: 256,
  streamsPerConnectionMax: 2048,
  streamsMax: 65_536,
  replyBytesMax: 536_870_912,
  keepAlive: keepAliveDefaults,
};

/** Of a header's bytes, on HTTP/2 and HTTP/1.1. */
export const headerBytesMax = 16_384;

/** Clients' share of the files that the process may have open: the rest is for peers and the disk. */
const clientShare = 0.7;

/** `openFilesMax`: null, where the system does not say. */
export function connectionsThatFit(openFilesMax: number | null): number {
  return openFilesMax === null ? Number.POSITIVE_INFINITY : Math.floor(clientShare * openFilesMax);
}

/** The soft limit of this process; null: there is none, or the system does not say. */
export function openFilesMax(): number | null {
  // Else each open socket is looked up by name.
  const report: (NodeJS.ProcessReport & { excludeNetwork?: boolean }) | undefined = process.report;
  if (report === undefined) return null;
  report.excludeNetwork = true;
  const limits = (report.getReport() as { userLimits?: Record<string, { soft?: unknown }> })
    .userLimits;
  const soft = limits?.["open_files"]?.soft;
  return typeof soft === "number" ? soft : null;
}
