// A new member of a cluster whose state is a gigabyte catches up while writes go on, although the link is
// cut in the middle of it, and the newcomer is killed. Method: a proxy before the newcomer's peer port
// counts what it is sent and cuts; that the transfer went on, and did not begin anew, is seen in the bytes.
// Times and latencies are told, with what they should be on a machine that does nothing else.
import { equal, ok } from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { utf8Encode } from "@quorate/base";
import { withCluster } from "../processes/cluster.ts";
import type { TestCluster } from "../processes/cluster.ts";
import { runQuorate } from "../processes/entry.ts";
import { eventually } from "../processes/eventually.ts";
import { getAll } from "../processes/kv-calls.ts";
import { TestMember } from "../processes/member.ts";
import { freePorts } from "../processes/ports.ts";
import { memoryOf, mib } from "./footprint.ts";
import { LinkProxy } from "./link-proxy.ts";
import { makePuts } from "./puts.ts";
import { SteadyWrites } from "./steady-writes.ts";

const mebibyte = 1_048_576;
/** Smaller for a quick look: QUORATE_LONG_STATE_MIB=128. */
const stateMib = Number(process.env["QUORATE_LONG_STATE_MIB"] ?? 1024);
const valueBytes = 8192;
const calmMs = 20_000;
const residentMoreMax = 256 * mebibyte;
const waitMs = 900_000;

test("a new member of 1 GB catches up under writes, through a cut link and a kill", async (t) => {
  await withCluster({}, async (cluster) => {
    await fill(cluster, t.diagnostic.bind(t));
    const writes = new SteadyWrites(cluster, 6, 2);
    const calmFrom = performance.now();
    await new Promise((resolve) => setTimeout(resolve, calmMs));
    const before = writes.between(calmFrom, performance.now());
    const resident = new Map(cluster.members.map((m) => [m.name, memoryOf(m.pid).bytes]));

    const { newcomer, proxy } = await makeNewcomer(cluster);
    const peaks = new PeakMemory([...cluster.members, newcomer]);
    const startedMs = performance.now();
    try {
      newcomer.start();
      await eventually("it runs", () => newcomer.pid !== 0);
      await received(proxy, 0.25);
      proxy.cut();
      await received(proxy, 0.55);
      await newcomer.kill();
      newcomer.start();
      const tookMs = await caughtUp(cluster, newcomer, startedMs);
      const during = writes.between(startedMs, startedMs + tookMs);
      const sent = proxy.bytesTo;
      await writes.stop();
      peaks.stop();
      const { log } = newcomer;
      const held = [
        ...log.join("\n").matchAll(/"bytes":(\d+),"held":(\d+)[^\n]*snapshot receiving/g),
      ];
      for (const [, bytes, whole] of held) {
        t.diagnostic(
          `offered ${mib(Number(bytes))}, of which ${mib(Number(whole))} had come before`,
        );
      }
      t.diagnostic(`caught up ${(tookMs / 1000).toFixed(1)} s after its start (should be ≤ 90)`);
      t.diagnostic(`it was sent ${mib(sent)} for ${stateMib} MiB of state`);
      t.diagnostic(`writes before:  ${told(before)}`);
      t.diagnostic(`writes meanwhile: ${told(during)} (p99 should be ≤ twice that before)`);
      t.diagnostic(`${writes.failed} writes failed`);
      for (const [name, peak] of peaks.peaks) {
        const base = resident.get(name) ?? peaks.first(name);
        t.diagnostic(`${name}: RSS ${mib(base)} before, at most ${mib(peak)} meanwhile`);
        ok(peak - base <= residentMoreMax, `${name} took ${mib(peak - base)} more`);
      }
      // The cut costs a window, the kill what was not whole or not on record: never all of it again.
      ok(sent <= (stateMib + 224) * mebibyte, `${mib(sent)} were sent for ${stateMib} MiB`);
      await holdsAll(cluster, newcomer, writes);
    } finally {
      await writes.stop();
      peaks.stop();
      proxy.close();
      await newcomer.kill();
      newcomer.client.close();
    }
  });
});

async function fill(cluster: TestCluster, print: (text: string) => void): Promise<void> {
  const value = new Uint8Array(valueBytes);
  const { seconds } = await makePuts(cluster, {
    count: Math.ceil((stateMib * mebibyte) / valueBytes),
    inFlight: 64,
    key: (n) => utf8Encode(`state/${n}`),
    value: (n) => value.fill(n % 251),
  });
  await cluster.equalDigests();
  print(`${stateMib} MiB written in ${seconds.toFixed(1)} s`);
}

async function makeNewcomer(
  cluster: TestCluster,
): Promise<{ newcomer: TestMember; proxy: LinkProxy }> {
  const port = await freePorts(2);
  const proxyPort = port + 2;
  const peerUrl = `http://127.0.0.1:${proxyPort}`;
  const directory = join(cluster.folder, "m4");
  const added = await eventually("the member is added", async () => {
    const ended = await runQuorate([
      ...["members", "add", "m4", peerUrl, "--endpoints", cluster.endpoints, "--timeout", "30"],
    ]);
    return ended.code === 0 ? ended : null;
  });
  equal(added.code, 0);
  const others = cluster.members.map((m) => `${m.name}=http://127.0.0.1:${m.peerPort}`);
  const newcomer = new TestMember({ name: "m4", clientPort: port, peerPort: port + 1, directory }, [
    "--name=m4",
    `--data-dir=${directory}`,
    `--listen-client-urls=http://127.0.0.1:${port}`,
    `--advertise-client-urls=http://127.0.0.1:${port}`,
    `--listen-peer-urls=http://127.0.0.1:${port + 1}`,
    `--initial-advertise-peer-urls=${peerUrl}`,
    `--initial-cluster=${[...others, `m4=${peerUrl}`].join(",")}`,
    "--initial-cluster-state=existing",
    "--log-format=json",
  ]);
  return { newcomer, proxy: new LinkProxy(proxyPort, port + 1) };
}

/** So much of the state has gone to it. */
function received(proxy: LinkProxy, share: number): Promise<boolean> {
  const bytes = share * stateMib * mebibyte;
  return eventually(`${mib(bytes)} sent`, () => proxy.bytesTo >= bytes, waitMs);
}

/** Its own state is applied, and no further behind than writes in flight are. */
async function caughtUp(
  cluster: TestCluster,
  newcomer: TestMember,
  startedMs: number,
): Promise<number> {
  await eventually(
    "the newcomer has caught up",
    async () => {
      const [own, leader] = await Promise.all([
        newcomer.status(),
        (await cluster.leader()).status(),
      ]);
      if (own?.phase !== "running" || leader === null) return false;
      return Number(leader.committed) - Number(own.applied) < 1000;
    },
    waitMs,
  );
  return performance.now() - startedMs;
}

async function holdsAll(
  cluster: TestCluster,
  newcomer: TestMember,
  writes: SteadyWrites,
): Promise<void> {
  await cluster.equalDigests();
  const [own, other] = await eventually("the same state everywhere", async () => {
    const both = await Promise.all([newcomer.status(), cluster.members[0]!.status()]);
    const [a, b] = both;
    return a !== null && b !== null && a.applied === b.applied ? ([a, b] as const) : null;
  });
  equal(own.liveDigest, other.liveDigest);
  equal(own.applyDigest, other.applyDigest);
  const found = await getAll(newcomer.client, "steady/");
  if (typeof found === "string") throw new Error(found);
  for (const [key, value] of writes.kept) equal(found.get(key), value, key);
}

/** The most that each of them had, looked at again and again. */
class PeakMemory {
  readonly peaks: Map<string, number>;
  readonly #first: Map<string, number>;
  readonly #timer: NodeJS.Timeout;

  constructor(members: readonly TestMember[]) {
    this.peaks = new Map();
    this.#first = new Map();
    this.#timer = setInterval(() => {
      for (const { name, pid } of members) if (pid !== 0) this.#look(name, pid);
    }, 200);
  }

  /** When it was first seen. */
  first(name: string): number {
    return this.#first.get(name) ?? 0;
  }

  #look(name: string, pid: number): void {
    let bytes: number;
    try {
      ({ bytes } = memoryOf(pid));
    } catch {
      // It has just been killed.
      return;
    }
    if (Number.isNaN(bytes)) return;
    if (!this.#first.has(name)) this.#first.set(name, bytes);
    this.peaks.set(name, Math.max(this.peaks.get(name) ?? 0, bytes));
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}

function told(figures: { count: number; p50: number; p99: number; max: number }): string {
  const ms = (value: number): string => `${value.toFixed(1)} ms`;
  return `${figures.count}, p50 ${ms(figures.p50)}, p99 ${ms(figures.p99)}, longest ${ms(figures.max)}`;
}
