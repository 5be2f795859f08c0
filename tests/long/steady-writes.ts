// Writers with one write at a time each, over the whole time of a test, and how long the writes took in
// any part of it.
import { GrpcCode } from "@quorate/grpc";
import type { TestCluster } from "../processes/cluster.ts";
import { put } from "../processes/kv-calls.ts";

interface Acknowledged {
  readonly endedMs: number;
  readonly tookMs: number;
}

export class SteadyWrites {
  readonly #loops: Promise<void>[];
  readonly #acknowledged: Acknowledged[];
  /** Key → the value that was acknowledged last. */
  readonly kept: Map<string, string>;
  failed: number;
  #stopped: boolean;

  constructor(cluster: TestCluster, writers: number, pauseMs: number) {
    this.#acknowledged = [];
    this.kept = new Map();
    this.failed = 0;
    this.#stopped = false;
    this.#loops = Array.from({ length: writers }, (_, at) => this.#loop(cluster, at, pauseMs));
  }

  async #loop(cluster: TestCluster, writer: number, pauseMs: number): Promise<void> {
    const { client } = cluster.members[writer % cluster.members.length]!;
    for (let n = 0; !this.#stopped; n += 1) {
      const key = `steady/${writer}/${n % 100}`;
      const value = `${n} `.padEnd(1000, "x");
      const startedMs = performance.now();
      const { code } = await put(client, key, value);
      const endedMs = performance.now();
      if (code === GrpcCode.Ok) {
        this.#acknowledged.push({ endedMs, tookMs: endedMs - startedMs });
        this.kept.set(key, value);
      } else {
        this.failed += 1;
        this.kept.delete(key);
      }
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
  }

  /** Of the writes that ended between two moments. */
  between(fromMs: number, toMs: number): { count: number; p50: number; p99: number; max: number } {
    const took = this.#acknowledged
      .filter(({ endedMs }) => endedMs >= fromMs && endedMs < toMs)
      .map(({ tookMs }) => tookMs)
      .sort((a, b) => a - b);
    const at = (share: number): number => took[Math.floor(share * (took.length - 1))] ?? 0;
    return { count: took.length, p50: at(0.5), p99: at(0.99), max: at(1) };
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all(this.#loops);
  }
}
