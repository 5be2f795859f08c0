// Honest fsync: a put is acknowledged only after an fdatasync that covers its entry has returned on a
// quorum. Method: strace on all three members of a real cluster says which bytes of the log were
// written and when each fdatasync began and returned (each one slowed down, so that an early answer
// cannot hide in the clock's grain); the log's own files then say which entry stood in which bytes.
import { equal, ok } from "node:assert/strict";
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { GrpcCode } from "@quorate/grpc";
import { readU32 } from "@quorate/base";
import {
  batchBytes,
  batchHeaderBytes,
  blockBytes,
  decodePayload,
  firstBatchOffset,
  parseBatchHeader,
  segmentMagic,
  u64OrNone,
} from "@quorate/storage/internal";
import { withCluster } from "./cluster.ts";
import { toolVersion } from "./entry.ts";
import { eventually } from "./eventually.ts";
import { put } from "./kv-calls.ts";
import type { TestMember } from "./member.ts";

const puts = 400;
const inFlight = 16;
const quorum = 2;
/** Every fdatasync takes at least this long. */
const syncDelayMicros = 10_000;
const keyPattern = /honest\/\d{6}/;

const strace = toolVersion("strace", "-V") === null ? "strace is not installed" : false;

test(
  "no put is acknowledged before an fdatasync of its entry has returned on a quorum",
  { skip: strace },
  async (t) => {
    await withCluster({}, async (cluster) => {
      const traces = cluster.members.map((member) => new SyncTrace(member, cluster.folder));
      for (const trace of traces) {
        const problem = await trace.attached();
        if (problem !== null) {
          for (const each of traces) await each.end();
          t.skip(`strace cannot attach here: ${problem}`);
          return;
        }
      }
      const acknowledgedAtMs = new Map<string, number>();
      await Promise.all(
        Array.from({ length: inFlight }, async (_, first) => {
          const { client } = cluster.members[first % cluster.members.length]!;
          for (let n = first; n < puts; n += inFlight) {
            const key = `honest/${String(n).padStart(6, "0")}`;
            const { code } = await put(client, key, "x".repeat(100));
            // Floored to the millisecond below and compared with the next one: never too strict.
            if (code === GrpcCode.Ok) acknowledgedAtMs.set(key, Date.now() + 1);
          }
        }),
      );
      equal(acknowledgedAtMs.size, puts);
      await cluster.equalDigests();
      const durable: ReadonlyMap<string, number>[] = [];
      for (const trace of traces) durable.push(await trace.durableAtMs());

      let early = 0;
      let example = "";
      let closestMs = Number.POSITIVE_INFINITY;
      for (const [key, atMs] of acknowledgedAtMs) {
        const times = durable.map((of) => of.get(key) ?? Number.POSITIVE_INFINITY);
        const onQuorumMs = times.sort((a, b) => a - b)[quorum - 1]!;
        closestMs = Math.min(closestMs, atMs - onQuorumMs);
        if (onQuorumMs > atMs) {
          early += 1;
          example ||= `${key}: acknowledged ${(onQuorumMs - atMs).toFixed(2)} ms before`;
        }
      }
      const syncs = traces.map((trace) => trace.syncs);
      t.diagnostic(
        `${puts} puts, ${syncs.join(" + ")} fdatasyncs seen; the closest acknowledgement came ` +
          `${closestMs.toFixed(2)} ms after the quorum's fdatasync`,
      );
      ok(syncs.every((count) => count > 0));
      equal(early, 0, `${early} of ${puts} puts were acknowledged too early (${example})`);
    });
  },
);

interface Write {
  readonly path: string;
  readonly offset: number;
  readonly bytes: number;
  readonly returnedAtMs: number;
}

interface Sync {
  readonly path: string;
  readonly enteredAtMs: number;
  readonly returnedAtMs: number;
}

/** What strace tells of one member's writes and syncs. */
class SyncTrace {
  readonly #member: TestMember;
  readonly #output: string;
  readonly #process: ChildProcess;
  readonly #ended: Promise<unknown>;
  #stderr: string;
  syncs: number;

  constructor(member: TestMember, folder: string) {
    this.#member = member;
    this.#output = join(folder, `${member.name}.strace`);
    this.#process = spawn(
      "strace",
      ["-f", "-y", "-s", "0", "-ttt", "-T", "-o", this.#output].concat(
        ["-e", "trace=fdatasync,pwrite64"],
        ["-e", `inject=fdatasync:delay_enter=${syncDelayMicros}`],
        ["-p", String(member.pid)],
      ),
      { stdio: ["ignore", "ignore", "pipe"] },
    );
    this.#stderr = "";
    this.#process.stderr!.on("data", (text) => (this.#stderr += String(text)));
    this.#ended = new Promise((resolve) => this.#process.on("close", resolve));
    this.syncs = 0;
  }

  /** Null when it is attached, otherwise why not. */
  async attached(): Promise<string | null> {
    await eventually(
      "strace attaches",
      () => this.#stderr.includes(" attached") || this.#process.exitCode !== null,
    );
    return this.#process.exitCode === null ? null : this.#stderr.trim();
  }

  async end(): Promise<void> {
    this.#process.kill("SIGINT");
    await this.#ended;
  }

  /** Key → when the first fdatasync that covers its entry returned. Ends the trace. */
  async durableAtMs(): Promise<ReadonlyMap<string, number>> {
    await this.end();
    const { writes, syncs } = parseTrace(readFileSync(this.#output, "latin1"));
    this.syncs = syncs.length;
    const found = new Map<string, number>();
    for (const { path, offset, bytes, keys } of batchesOf(this.#member.directory)) {
      const written = writes.find(
        (w) => w.path === path && w.offset <= offset && w.offset + w.bytes >= offset + bytes,
      );
      if (written === undefined) continue;
      const returned = syncs
        .filter((s) => s.path === path && s.enteredAtMs >= written.returnedAtMs)
        .map((s) => s.returnedAtMs);
      for (const key of keys) found.set(key, Math.min(...returned));
    }
    return found;
  }
}

/** Lines of strace -f -y -ttt -T, calls cut in two by other threads put together again. */
function parseTrace(text: string): { writes: Write[]; syncs: Sync[] } {
  const writes: Write[] = [];
  const syncs: Sync[] = [];
  const open = new Map<string, { call: string; enteredAtMs: number }>();
  for (const line of text.split("\n")) {
    const [, thread, seconds, rest] = /^(\d+)\s+(\d+\.\d+) (.*)$/.exec(line) ?? [];
    if (thread === undefined) continue;
    const atMs = Number(seconds) * 1000;
    if (rest!.endsWith("<unfinished ...>")) {
      open.set(thread, { call: rest!.slice(0, -"<unfinished ...>".length), enteredAtMs: atMs });
      continue;
    }
    const resumed = /^<\.\.\. \w+ resumed>(.*)$/.exec(rest!);
    const start = resumed === null ? null : open.get(thread);
    if (start === undefined) continue;
    const call = start === null ? rest! : start.call + resumed![1]!;
    const enteredAtMs = start === null ? atMs : start.enteredAtMs;
    const tookMs = Number(/<(\d+\.\d+)>$/.exec(call)?.[1] ?? Number.NaN) * 1000;
    const returnedAtMs = start === null ? enteredAtMs + tookMs : atMs;
    const write = /^pwrite64\(\d+<(.*)>, .*, (\d+), (\d+)\s*\)\s+= (\d+) /.exec(call);
    if (write !== null) {
      const [, path, , offset, bytes] = write;
      writes.push({ path: path!, offset: Number(offset), bytes: Number(bytes), returnedAtMs });
    }
    const sync = /^fdatasync\(\d+<(.*)>\s*\)\s+= 0 /.exec(call);
    if (sync !== null) syncs.push({ path: sync[1]!, enteredAtMs, returnedAtMs });
  }
  return { writes, syncs };
}

interface BatchOnDisk {
  readonly path: string;
  readonly offset: number;
  readonly bytes: number;
  readonly keys: readonly string[];
}

/** Every batch in the log's segments, with the keys of this test's puts in it. */
function batchesOf(directory: string): BatchOnDisk[] {
  const found: BatchOnDisk[] = [];
  for (const entry of readdirSync(directory, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (!entry.isFile()) continue;
    const file = readFileSync(path);
    if (file.length < firstBatchOffset || readU32(file, 0) !== segmentMagic) continue;
    for (let offset = firstBatchOffset; offset + blockBytes <= file.length; offset += blockBytes) {
      const parsed = parseBatchHeader(file, offset, identityAt(file, offset), {
        nonce: u64OrNone(file, offset + 24),
        offset,
        segmentBytes: file.length,
      });
      if (parsed.found !== "header") continue;
      const from = offset + batchHeaderBytes;
      const payload = file.subarray(from, from + parsed.header.payloadBytes);
      const entries = decodePayload(parsed.header, payload)?.entries ?? [];
      const keys = entries
        .map((e) => keyPattern.exec(Buffer.from(e.payload).toString("latin1"))?.[0])
        .filter((key) => key !== undefined);
      found.push({ path, offset, bytes: batchBytes(parsed.header), keys });
    }
  }
  return found;
}

/** Whose batch it says it is: this test looks at one member's own files only. */
function identityAt(file: Uint8Array, offset: number): { clusterId: Uint8Array; raftId: number } {
  return {
    clusterId: file.slice(offset + 8, offset + 16),
    raftId: u64OrNone(file, offset + 16),
  };
}
