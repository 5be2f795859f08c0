// A closed loop: a fixed number of calls in flight for a fixed time, each answer followed by the next
// call. Latencies are kept whole; percentiles are exact.
import type { H2Client } from "@quorate/grpc/internal";

export interface LoadResult {
  readonly operations: number;
  readonly failures: number;
  readonly seconds: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

export interface LoadOptions {
  readonly clients: readonly H2Client[];
  readonly inFlight: number;
  readonly seconds: number;
  readonly path: string;
  /** The n-th request. */
  readonly request: (n: number) => Uint8Array;
}

export function runLoad(options: LoadOptions): Promise<LoadResult> {
  const { clients, inFlight, seconds, path, request } = options;
  return new Promise((resolve) => {
    const latencies: number[] = [];
    const startedMs = performance.now();
    const endMs = startedMs + seconds * 1000;
    let sent = 0;
    let failures = 0;
    let active = 0;
    const next = (): void => {
      const client = clients[sent % clients.length]!;
      const sentMs = performance.now();
      active += 1;
      const message = request(sent);
      sent += 1;
      client.call(path, message, (ok) => {
        const nowMs = performance.now();
        active -= 1;
        if (ok) {
          latencies.push(nowMs - sentMs);
        } else {
          failures += 1;
        }
        if (nowMs < endMs && !(client.closed && clients.every((c) => c.closed))) {
          next();
        } else if (active === 0) {
          resolve(summarize(latencies, failures, (nowMs - startedMs) / 1000));
        }
      });
    };
    for (let count = 0; count < inFlight; count += 1) {
      next();
    }
  });
}

function summarize(latencies: number[], failures: number, seconds: number): LoadResult {
  const sorted = Float64Array.from(latencies).sort();
  const at = (share: number): number =>
    sorted.length === 0
      ? Number.NaN
      : sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]!;
  return { operations: sorted.length, failures, seconds, p50Ms: at(0.5), p99Ms: at(0.99) };
}
