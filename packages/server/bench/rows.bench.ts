// The row store on real files: nanoseconds per append, checkpointed row, random read, walked and
// scanned row, and the longest time the event loop was held; processor time of the main thread,
// because other work on the machine would show in the wall clock. With --bound also the directory's size
// under 2 GB of puts over 1,000 keys with a compaction every 10,000 revisions. About 30 s:
//   node --conditions=@quorate/source packages/server/bench/rows.bench.ts [rows] [--bound]
import fs from "node:fs";
import os from "node:os";
import { assert, latin1Encode, Prng } from "@quorate/base";
import { Row, TableRecord } from "@quorate/kv";
import { Entry, HardState } from "@quorate/raft";
import { openDirectory, openStorage, storageDefaults } from "@quorate/storage";
import type { Env, Recovered, StorageApi, StorageOptions } from "@quorate/storage";
import { NodeDisk } from "../src/env/node-disk.ts";

const ROWS = Number(process.argv.find((argument) => /^\d+$/.test(argument)) ?? 1_000_000);
const VALUE_BYTES = 256;
const BOUND_BYTES = 2_000_000_000;
const noCache: StorageOptions = { ...storageDefaults, rowCacheBytesMax: 0 };

function makeEnv(disk: NodeDisk): Env {
  return {
    clock: { monotonicMs: () => performance.now(), wallMs: () => Date.now() },
    random: new Prng(process.pid + Math.floor(performance.timeOrigin)),
    disk,
    transport: { dial: () => assert(false, "no network") as never, listen: () => {} },
    trace: { debug() {}, info() {}, warn() {}, error() {}, mark() {} },
    schedule: (turn) => void setImmediate(turn),
    fatal: (exitCode, reason) => {
      console.error(reason);
      process.exit(exitCode);
    },
    restart: (reason) => assert(false, reason) as never,
  };
}

/** Processor time of this thread. */
function cpuMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}

type Opened = { readonly storage: StorageApi; readonly recovered: Recovered };

function open(directory: string, options: StorageOptions): Promise<Opened> {
  const env = makeEnv(new NodeDisk());
  const ids = { clusterId: "00000000000000c1", memberId: "00000000000000a1", levelMax: 1 };
  return new Promise((resolve, reject) => {
    openDirectory(env, { directory, walDirectory: null, ...ids }, (outcome) => {
      if (!outcome.ok) return reject(new Error(outcome.reason));
      openStorage(env, outcome.directory, options, (result) => {
        if (result.ok) resolve(result);
        else reject(new Error(result.reason));
      });
    });
  });
}

function rowAt(main: number, keys: number, value: Uint8Array): Row {
  const key = latin1Encode(`/registry/pods/${String(main % keys).padStart(9, "0")}`);
  return new Row(main, 0, false, main, 1, 0, 0, main * 1024, 0, 0, key, value);
}

function append(storage: StorageApi, first: number, last: number, bytes: number): Promise<void> {
  const payload = new Uint8Array(bytes);
  const entries: Entry[] = [];
  for (let index = first; index <= last; index++) {
    entries.push(new Entry(1, index, 16, 0, index, payload));
  }
  return new Promise((done) => {
    storage.append(
      {
        hardState: new HardState(1, 0, last),
        firstIndex: first,
        entries,
        peers: [],
        mustSync: true,
      },
      done,
    );
  });
}

function checkpoint(storage: StorageApi, index: number): Promise<unknown> {
  const tables = [new TableRecord("bench", new Uint8Array(100_000))];
  return new Promise((done) => {
    storage.checkpoint({ index, term: 1, tables, keepLogFrom: index }, done);
  });
}

/** Longest busy time between two turns of the event loop while `work` runs. */
async function stallsOf(work: () => Promise<unknown>): Promise<number> {
  let longest = 0;
  let last = cpuMs();
  let running = true;
  const turn = (): void => {
    const now = cpuMs();
    longest = Math.max(longest, now - last);
    last = now;
    if (running) setImmediate(turn);
  };
  setImmediate(turn);
  await work();
  running = false;
  return longest;
}

function report(what: string, startedMs: number, count: number): void {
  const ms = cpuMs() - startedMs;
  const ns = Math.round((ms * 1e6) / count);
  console.log(`${what.padEnd(36)} ${String(ns).padStart(9)} ns  (${(ms / 1000).toFixed(2)} s)`);
}

async function fill(storage: StorageApi): Promise<void> {
  const value = new Uint8Array(VALUE_BYTES).fill(7);
  let appendMs = 0;
  let longest = 0;
  const startedMs = cpuMs();
  for (let first = 1; first <= ROWS; first += 100_000) {
    const last = Math.min(first + 99_999, ROWS);
    await append(storage, first, last, 1);
    const before = cpuMs();
    for (let main = first; main <= last; main++) storage.rows.append(rowAt(main, ROWS, value));
    appendMs += cpuMs() - before;
    longest = Math.max(longest, await stallsOf(() => checkpoint(storage, last)));
  }
  report("append, keys made included", cpuMs() - appendMs, ROWS);
  report("log, append and checkpoint", startedMs, ROWS);
  console.log(`longest stall in a checkpoint ${longest.toFixed(1)} ms`);
}

function readAll(storage: StorageApi, what: string): void {
  const prng = new Prng(1);
  const reads = Math.min(ROWS, 500_000);
  let bytes = 0;
  const startedMs = cpuMs();
  for (let i = 0; i < reads; i++) bytes += storage.rows.read(prng.below(ROWS)).value.length;
  report(what, startedMs, reads);
  if (bytes !== reads * VALUE_BYTES) throw new Error("a value of another length");
}

function walk(storage: StorageApi): void {
  const cursor = storage.rows.cursorFrom(1);
  let rows = 0;
  const startedMs = cpuMs();
  while (cursor.next() !== null) rows += 1;
  report("walk", startedMs, rows);
}

async function scan(directory: string): Promise<StorageApi> {
  const openedMs = cpuMs();
  const { storage } = await open(directory, noCache);
  report("open, before the scan (per start)", openedMs, 1);
  let rows = 0;
  let longest = 0;
  const startedMs = cpuMs();
  for (let done = false; !done;) {
    const sliceMs = cpuMs();
    done = storage.scanStep(5000, () => {
      rows += 1;
    });
    longest = Math.max(longest, cpuMs() - sliceMs);
  }
  report("scan with full verification", startedMs, rows);
  console.log(`longest slice of 5,000 rows ${longest.toFixed(1)} ms`);
  return storage;
}

function sizeOf(directory: string): number {
  let bytes = 0;
  for (const name of fs.readdirSync(directory)) bytes += fs.statSync(`${directory}/${name}`).size;
  return bytes;
}

/** 2 GB of puts over 1,000 keys; the rows of a compaction are known by key, as the key index does. */
async function bound(directory: string): Promise<void> {
  const keys = 1000;
  const valueBytes = 1024;
  const { storage } = await open(directory, storageDefaults);
  storage.scanStep(1, () => {});
  const value = new Uint8Array(valueBytes).fill(3);
  const versions = new Map<number, { main: number; ref: number }[]>();
  const puts = Math.ceil(BOUND_BYTES / valueBytes);
  let largest = 0;
  let running: Promise<unknown> | null = null;
  const ticker = setInterval(() => storage.tick(false), 10);
  const startedMs = performance.now();
  const longest = await stallsOf(async () => {
    for (let first = 1; first <= puts; first += 200) {
      const last = Math.min(first + 199, puts);
      await append(storage, first, last, valueBytes + 40);
      for (let main = first; main <= last; main++) {
        const ref = storage.rows.append(rowAt(main, keys, value));
        const list = versions.get(main % keys) ?? [];
        list.push({ main, ref });
        versions.set(main % keys, list);
      }
      if (Math.floor(last / 10_000) > Math.floor((first - 1) / 10_000)) {
        for (const list of versions.values()) {
          while (list.length > 1 && list[1]!.main <= last) storage.rows.dead(list.shift()!.ref);
        }
        largest = Math.max(largest, sizeOf(directory));
      }
      if (running === null && storage.unsavedRowBytes > 33_554_432) {
        running = checkpoint(storage, last).then(() => (running = null));
      }
      if (storage.rowsFull()) await running;
    }
    await (running ?? checkpoint(storage, puts));
    await new Promise((done) => setTimeout(done, 3000));
  });
  clearInterval(ticker);
  const seconds = (performance.now() - startedMs - 3000) / 1000;
  const usage = storage.usage();
  console.log(`2 GB of puts in ${seconds.toFixed(1)} s, longest stall ${longest.toFixed(1)} ms`);
  console.log(`directory: largest ${mib(largest)}, at the end ${mib(sizeOf(directory))}`);
  console.log(
    `rows ${mib(usage.rowBytes)} in ${usage.rowSegments} segments, log ${mib(usage.walBytes)}, ` +
      `written ${mib(usage.bytesWritten)}, resident ${mib(process.memoryUsage().rss)}`,
  );
}

function mib(bytes: number): string {
  return `${(bytes / 1_048_576).toFixed(1)} MiB`;
}

const root = fs.mkdtempSync(`${process.env["BENCH_DIR"] ?? os.tmpdir()}/quorate-rows-`);
try {
  const { storage } = await open(`${root}/m1`, noCache);
  storage.scanStep(1, () => {});
  await fill(storage);
  readAll(storage, "random read, page cache");
  walk(storage);
  await new Promise<void>((done) => storage.close(done));
  fs.cpSync(`${root}/m1`, `${root}/m2`, { recursive: true, filter: (path) => !/LOCK/.test(path) });
  const again = await scan(`${root}/m2`);
  readAll(again, "random read after a restart");
  await new Promise<void>((done) => again.close(done));
  console.log(`resident ${mib(process.memoryUsage().rss)}`);
  if (process.argv.includes("--bound")) await bound(`${root}/m3`);
} finally {
  fs.rmSync(root, { recursive: true });
}
process.exit(0);
