// A thousand watchers on fifty streams and writers beside them. Method: half a minute of calm; a minute
// with one more watcher that never reads; a minute in which the leader is killed again and again and
// started anew. Then the history is read from the store by one more watcher, from the beginning. Goal:
// every watcher was told exactly its part of it. Printed, not judged: delays, and what the one that
// stands still costs its member.
import { deepEqual, equal, ok } from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { TestCluster } from "../processes/cluster.ts";
import { eventually } from "../processes/eventually.ts";
import { put } from "../processes/kv-calls.ts";
import { percentile, standStill, WatcherStreams } from "./watchers.ts";

const watchersCount = 1000;
const streams = 50;
const prefixesCount = 25;
const writers = 4;
const pauseMs = 10;
const calmMs = 30_000;
const stillMs = 60_000;
const faultsMs = 60_000;
const killEveryMs = 6_000;

class Writers {
  readonly acknowledged: Map<string, string>;
  failed: number;
  stopped: boolean;
  readonly #loops: Promise<void>[];

  constructor(cluster: TestCluster) {
    this.acknowledged = new Map();
    this.failed = 0;
    this.stopped = false;
    this.#loops = Array.from({ length: writers }, (_, at) => this.#loop(cluster, at));
  }

  async stop(): Promise<void> {
    this.stopped = true;
    await Promise.all(this.#loops);
  }

  async #loop(cluster: TestCluster, writer: number): Promise<void> {
    for (let n = 0; !this.stopped; n += 1) {
      const { running } = cluster;
      const key = `w/${String(n % prefixesCount).padStart(2, "0")}/${writer}`;
      const value = `${performance.now()} ${writer} ${n}`;
      const result = await put(running[n % running.length]!.client, key, value);
      if (result.code === 0) this.acknowledged.set(value, key);
      else this.failed += 1;
      await sleep(pauseMs);
    }
  }
}

async function bufferedBytes(address: string): Promise<number> {
  const text = await (await fetch(`http://${address}/metrics`)).text();
  return Number(/^quorate_watch_buffered_bytes (\d+)$/m.exec(text)?.[1]);
}

function residentMiB(pid: number): number {
  const line = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"));
  return Number(line?.[1] ?? 0) / 1024;
}

function describe(delays: readonly number[]): string {
  const at = (share: number): string => percentile(delays, share).toFixed(1);
  return `${delays.length} events, p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, worst ${at(1)} ms`;
}

test("a thousand watchers hear exactly what happened, whoever is killed", async (t) => {
  const cluster = await TestCluster.make();
  try {
    cluster.start();
    await cluster.ready();
    const prefixes = Array.from(
      { length: watchersCount },
      (_, at) => `w/${String(at % prefixesCount).padStart(2, "0")}/`,
    );
    const watching = new WatcherStreams(cluster, streams, prefixes, 0);
    await eventually("all watch", () => watching.created);
    const writing = new Writers(cluster);
    watching.delaysMs = [];
    await sleep(calmMs);
    t.diagnostic(`calm: ${describe(watching.delaysMs)}`);
    watching.delaysMs = [];
    const residents = (): string =>
      cluster.members.map(({ pid }) => residentMiB(pid).toFixed(0)).join(", ");
    const before = residents();
    const still = standStill(cluster, 1, "w/");
    await sleep(stillMs);
    t.diagnostic(`one stands still: ${describe(watching.delaysMs)}`);
    const held = await bufferedBytes(cluster.members[1]!.address);
    t.diagnostic(`m2 holds ${held} bytes for it; the members' MiB: ${before} → ${residents()}`);
    ok(held > 0 && held <= 4 * 1024 * 1024, `${held} bytes are held for who does not read`);
    still.close();
    watching.delaysMs = [];
    const endMs = performance.now() + faultsMs;
    let kills = 0;
    while (performance.now() < endMs) {
      const leader = await cluster.leader();
      await leader.kill();
      kills += 1;
      await sleep(killEveryMs / 2);
      leader.start();
      await sleep(killEveryMs / 2);
    }
    t.diagnostic(`${kills} kills: ${describe(watching.delaysMs)}`);
    await writing.stop();
    await cluster.ready();
    const judge = new WatcherStreams(cluster, 1, ["w/"], 1);
    const last = await put(cluster.members[0]!.client, "w/end", `${performance.now()} end`);
    equal(last.code, 0);
    const history = judge.watchers[0]!.told;
    await eventually("the history is read", () => history.at(-1)?.key === "w/end");
    const known = new Set(history.map(({ value }) => value));
    for (const value of writing.acknowledged.keys()) ok(known.has(value), `lost: ${value}`);
    await eventually("everybody was told", () => watching.have(history));
    for (const { prefix, told, start } of watching.watchers) {
      const due = history.filter((e) => e.key.startsWith(prefix) && e.revision >= start);
      deepEqual(told, due);
    }
    t.diagnostic(
      `${history.length} revisions, ${writing.acknowledged.size} acknowledged, ` +
        `${writing.failed} failed or unknown, ${watching.restarts} times a stream began anew`,
    );
    watching.close();
    judge.close();
  } finally {
    await cluster.close();
  }
});
