// `npm run bench`: etcd and Quorate, three members each on loopback, fsync on, driven in alternation
// by the same client in one run. Prints what each did and the ratios; asserts nothing.
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { table, utf8Encode } from "@quorate/base";
import { encodePutRequest, encodeRangeRequest, PutRequest, RangeRequest } from "@quorate/kv";
import { etcdLaunch, quorateLaunch, startCluster } from "./clusters.ts";
import type { Cluster } from "./clusters.ts";
import { H2Client } from "@quorate/grpc/internal";
import { runLoad } from "./load.ts";
import { measureGap } from "./write-gap.ts";

const usage = `Usage: npm run bench -- [options]

  --seconds N     per measurement (default: 4)
  --rounds N      measurements of each, in alternation (default: 3)
  --only NAME     etcd or quorate alone
  --folder DIR    where the members' data goes (default: a temporary folder)
  --help          print this help
`;

const { seconds, rounds, only, folder } = readArguments();

function readArguments(): {
  readonly seconds: number;
  readonly rounds: number;
  readonly only: string;
  readonly folder: string;
} {
  try {
    const { values } = parseArgs({
      options: {
        seconds: { type: "string", default: "4" },
        rounds: { type: "string", default: "3" },
        only: { type: "string", default: "" },
        folder: { type: "string", default: "" },
        help: { type: "boolean", default: false },
      },
    });
    if (values.help) {
      process.stdout.write(usage);
      process.exit(0);
    }
    const positive = (name: "seconds" | "rounds"): number => {
      const number = Number(values[name]);
      if (number > 0 && (name === "seconds" || Number.isInteger(number))) return number;
      throw new Error(`--${name}: ${values[name]} is not a number above zero`);
    };
    if (!["", "etcd", "quorate"].includes(values.only)) {
      throw new Error(`--only: etcd or quorate, not ${values.only}`);
    }
    return { ...values, seconds: positive("seconds"), rounds: positive("rounds") };
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n\n${usage}`);
    process.exit(2);
  }
}

interface Scenario {
  readonly name: string;
  readonly inFlight: number;
  readonly path: string;
  readonly request: (n: number) => Uint8Array;
}

const value = new Uint8Array(256).fill(120);
const keyOf = (n: number): Uint8Array => utf8Encode(`bench/${n % 10_000}`);
const put = (n: number): Uint8Array => encodePutRequest(new PutRequest({ key: keyOf(n), value }));
const read = (serializable: boolean) => (n: number) =>
  encodeRangeRequest(new RangeRequest({ key: keyOf(n), serializable }));

const scenarios: readonly Scenario[] = [
  ...[1, 64, 256].map((inFlight) => ({
    name: `put 256 B, ${inFlight} in flight`,
    inFlight,
    path: "/etcdserverpb.KV/Put",
    request: put,
  })),
  ...[64, 256].map((inFlight) => ({
    name: `linearizable read, ${inFlight}`,
    inFlight,
    path: "/etcdserverpb.KV/Range",
    request: read(false),
  })),
  {
    name: "serializable read, 64",
    inFlight: 64,
    path: "/etcdserverpb.KV/Range",
    request: read(true),
  },
];

interface Measured {
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly cpuMicros: number;
  readonly syncsPerSecond: number;
  readonly failures: number;
}

async function measure(cluster: Cluster, scenario: Scenario): Promise<Measured> {
  const leader = await cluster.leader();
  const client = await H2Client.connect(cluster.endpoints[leader]!);
  const cpuBefore = cluster.cpuSeconds();
  const syncsBefore = await cluster.syncs();
  const result = await runLoad({
    clients: [client],
    inFlight: scenario.inFlight,
    seconds,
    path: scenario.path,
    request: scenario.request,
  });
  const cpu = cluster.cpuSeconds() - cpuBefore;
  const syncs = (await cluster.syncs()) - syncsBefore;
  client.close();
  return {
    perSecond: result.operations / result.seconds,
    p50Ms: result.p50Ms,
    p99Ms: result.p99Ms,
    cpuMicros: (cpu * 1e6) / Math.max(1, result.operations),
    syncsPerSecond: syncs / result.seconds,
    failures: result.failures,
  };
}

function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

function summary(runs: readonly Measured[]): Measured {
  const of = (pick: (m: Measured) => number): number => median(runs.map(pick));
  return {
    perSecond: of((m) => m.perSecond),
    p50Ms: of((m) => m.p50Ms),
    p99Ms: of((m) => m.p99Ms),
    cpuMicros: of((m) => m.cpuMicros),
    syncsPerSecond: of((m) => m.syncsPerSecond),
    failures: runs.reduce((sum, m) => sum + m.failures, 0),
  };
}

const root = folder === "" ? mkdtempSync(join(tmpdir(), "quorate-bench-")) : folder;
const launches = [etcdLaunch(), quorateLaunch()].filter(
  (launch) => launch !== null && (only === "" || launch.label === only),
);
if (launches.length === 1 && only === "") {
  console.log("etcd is not installed (Debian: etcd-server): measuring Quorate alone");
}
const clusters: Cluster[] = [];
process.on("exit", () => {
  for (const cluster of clusters) {
    cluster.stop();
  }
});
process.on("SIGINT", () => process.exit(130));
for (const launch of launches) {
  clusters.push(await startCluster(launch!, join(root, launch!.label)));
}

const rows: string[][] = [["", "", "ops/s", "p50 ms", "p99 ms", "CPU µs/op", "fsync/s", "failed"]];
const ratios: string[][] = [["quorate / etcd", "ops/s", "p50", "p99", "CPU/op"]];
for (const scenario of scenarios) {
  const runs = new Map<string, Measured[]>(clusters.map((c) => [c.label, []]));
  for (let round = 0; round < rounds; round += 1) {
    for (const cluster of clusters) {
      runs.get(cluster.label)!.push(await measure(cluster, scenario));
    }
  }
  const results = new Map([...runs].map(([label, list]) => [label, summary(list)]));
  for (const [label, m] of results) {
    rows.push([
      scenario.name,
      label,
      m.perSecond.toFixed(0),
      m.p50Ms.toFixed(2),
      m.p99Ms.toFixed(2),
      m.cpuMicros.toFixed(0),
      m.syncsPerSecond.toFixed(0),
      String(m.failures),
    ]);
  }
  const ours = results.get("quorate");
  const theirs = results.get("etcd");
  if (ours !== undefined && theirs !== undefined) {
    ratios.push([
      scenario.name,
      `${(ours.perSecond / theirs.perSecond).toFixed(2)}×`,
      `${(ours.p50Ms / theirs.p50Ms).toFixed(2)}×`,
      `${(ours.p99Ms / theirs.p99Ms).toFixed(2)}×`,
      `${(ours.cpuMicros / theirs.cpuMicros).toFixed(2)}×`,
    ]);
  }
  console.log(`done: ${scenario.name}`);
}
console.log(`\n${table(rows)}\n`);
if (ratios.length > 1) {
  console.log(`${table(ratios)}\n`);
}
for (const cluster of clusters) {
  const gaps: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    gaps.push(await measureGap(cluster));
  }
  const list = gaps.map((gap) => gap.toFixed(0)).join(", ");
  console.log(`write gap after kill -9 of the leader, ${cluster.label}: ${list} ms`);
}
process.exit(0);
