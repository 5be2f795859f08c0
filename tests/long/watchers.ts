// Many watchers for the long tests: streams of several watchers each, spread over the members; when a
// stream ends, its watchers go on at another member from where they were. Each keeps what it was told.
import { WatchAsk } from "@quorate/kv";
import type { WatchResponse } from "@quorate/kv";
import type { TestCluster } from "../processes/cluster.ts";
import { WatchStream } from "../conformance/watch-stream.ts";

const retryMs = 100;

export interface ToldEvent {
  readonly revision: number;
  readonly key: string;
  readonly value: string;
}

export class ToldWatcher {
  readonly prefix: string;
  readonly told: ToldEvent[];
  /** First revision that it was to be told of; 0: not known yet. */
  start: number;

  constructor(prefix: string, start: number) {
    this.prefix = prefix;
    this.told = [];
    this.start = start;
  }

  get next(): number {
    return Math.max(this.start, (this.told.at(-1)?.revision ?? -1) + 1);
  }
}

export class WatcherStreams {
  readonly watchers: readonly ToldWatcher[];
  /** From the moment in an event's value to its arrival. */
  delaysMs: number[];
  restarts: number;
  readonly #cluster: TestCluster;
  readonly #open: Set<WatchStream>;
  #closed: boolean;

  constructor(cluster: TestCluster, streams: number, prefixes: readonly string[], start: number) {
    this.delaysMs = [];
    this.restarts = 0;
    this.#cluster = cluster;
    this.#open = new Set();
    this.#closed = false;
    this.watchers = prefixes.map((prefix) => new ToldWatcher(prefix, start));
    for (let at = 0; at < streams; at += 1) {
      this.#run(
        this.watchers.filter((_, number) => number % streams === at),
        at,
      );
    }
  }

  get created(): boolean {
    return this.watchers.every(({ start }) => start > 0);
  }

  /** All have been told of everything up to the revision, as far as it is theirs. */
  have(history: readonly ToldEvent[]): boolean {
    return this.watchers.every(
      ({ prefix, told, start }) =>
        told.length ===
        history.filter(({ key, revision }) => key.startsWith(prefix) && revision >= start).length,
    );
  }

  close(): void {
    this.#closed = true;
    for (const stream of this.#open) stream.close();
  }

  #run(watchers: readonly ToldWatcher[], turn: number): void {
    if (this.#closed) return;
    const running = this.#cluster.running;
    if (running.length === 0) return this.#again(watchers, turn);
    const member = running[turn % running.length]!;
    const creating = [...watchers];
    const byId = new Map<number, ToldWatcher>();
    const stream = new WatchStream(member.address, {
      heard: (response) => this.#heard(response, creating, byId),
      ended: () => {
        this.#open.delete(stream);
        this.#again(watchers, turn + 1);
      },
    });
    this.#open.add(stream);
    for (const watcher of watchers) stream.watch(watcher.prefix, watcher.next);
  }

  #again(watchers: readonly ToldWatcher[], turn: number): void {
    if (this.#closed) return;
    this.restarts += 1;
    setTimeout(() => this.#run(watchers, turn), retryMs);
  }

  #heard(response: WatchResponse, creating: ToldWatcher[], byId: Map<number, ToldWatcher>): void {
    const { watchId, created, header, canceled, events } = response;
    if (created) {
      const watcher = creating.shift()!;
      byId.set(watchId, watcher);
      if (watcher.start === 0) watcher.start = header.revision + 1;
      return;
    }
    if (canceled) throw new Error(`watcher ${watchId} was cancelled`);
    const nowMs = performance.now();
    const watcher = byId.get(watchId)!;
    for (const { kv } of events) {
      const value = Buffer.from(kv.value).toString();
      const key = Buffer.from(kv.key).toString();
      watcher.told.push({ revision: kv.modRevision, key, value });
      this.delaysMs.push(nowMs - Number(value.split(" ")[0]));
    }
  }
}

/** One that is told everything of a prefix and stops reading at once. */
export function standStill(cluster: TestCluster, member: number, prefix: string): WatchStream {
  const stream = new WatchStream(cluster.members[member]!.address, {
    heard: () => undefined,
    ended: () => undefined,
  });
  stream.ask({ ask: WatchAsk.Nothing });
  stream.watch(prefix, 0);
  stream.stopReading();
  return stream;
}

export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
}
