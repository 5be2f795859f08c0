// Three members of etcd and three of Quorate on loopback, as plain processes with fsync on and
// default timeouts, and what can be read of them from outside: leader, CPU time, fsyncs.
import { spawn, spawnSync } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { get } from "node:http";
import net from "node:net";
import { join } from "node:path";
import { fromBinary } from "@bufbuild/protobuf";
import { GrpcClient, GrpcCode } from "@quorate/grpc";
import { etcd } from "@quorate/proto";

export interface Cluster {
  readonly label: string;
  /** Client addresses, "host:port". */
  readonly endpoints: readonly string[];
  leader(): Promise<number>;
  /** Every member answers and follows a leader. */
  whole(): Promise<void>;
  cpuSeconds(): number;
  syncs(): Promise<number>;
  kill(member: number): void;
  restart(member: number): void;
  stop(): void;
}

interface Launch {
  readonly label: string;
  readonly command: string;
  readonly prefix: readonly string[];
  readonly extra: readonly string[];
}

const statusTimeoutMs = 1000;
const root = join(import.meta.dirname, "../../..");

export function etcdLaunch(): Launch | null {
  const found = spawnSync("etcd", ["--version"]).status === 0;
  const extra = ["--logger=zap", "--log-level=error"];
  return found ? { label: "etcd", command: "etcd", prefix: [], extra } : null;
}

export function quorateLaunch(): Launch {
  return {
    label: "quorate",
    command: join(root, "packages/cli/bin/quorate"),
    prefix: ["serve"],
    extra: ["--log-level=warn"],
  };
}

export async function startCluster(launch: Launch, folder: string): Promise<Cluster> {
  const ports = await freePorts(6);
  const names = ["m1", "m2", "m3"];
  const client = (at: number): string => `http://127.0.0.1:${ports[at]}`;
  const peer = (at: number): string => `http://127.0.0.1:${ports[at + 3]}`;
  const initial = names.map((name, at) => `${name}=${peer(at)}`).join(",");
  const children: ChildProcess[] = [];
  const start = (at: number): void => {
    const directory = join(folder, `${launch.label}-${names[at]}`);
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    const flags = [
      `--name=${names[at]}`,
      `--data-dir=${join(directory, "data")}`,
      `--listen-client-urls=${client(at)}`,
      `--advertise-client-urls=${client(at)}`,
      `--listen-peer-urls=${peer(at)}`,
      `--initial-advertise-peer-urls=${peer(at)}`,
      `--initial-cluster=${initial}`,
      `--initial-cluster-token=bench-${launch.label}`,
      ...launch.extra,
    ];
    children[at] = spawn(launch.command, [...launch.prefix, ...flags], {
      stdio: ["ignore", "ignore", "inherit"],
    });
  };
  names.forEach((_name, at) => start(at));
  const endpoints = names.map((_name, at) => `127.0.0.1:${ports[at]}`);
  const cluster: Cluster = {
    label: launch.label,
    endpoints,
    leader: () => findLeader(endpoints),
    whole: () => waitUntilWhole(endpoints),
    cpuSeconds: () => children.reduce((sum, child) => sum + cpuSecondsOf(child.pid), 0),
    syncs: () => countSyncs(endpoints),
    kill: (at) => children[at]!.kill("SIGKILL"),
    restart: start,
    stop: () => {
      for (const child of children) {
        child.kill("SIGKILL");
      }
      rmSync(folder, { recursive: true, force: true });
    },
  };
  await cluster.leader();
  return cluster;
}

/** Index of the member that says it leads; waits for one. */
async function findLeader(endpoints: readonly string[]): Promise<number> {
  const deadlineMs = performance.now() + 30_000;
  while (performance.now() < deadlineMs) {
    for (const [at, endpoint] of endpoints.entries()) {
      const status = await statusOf(endpoint);
      if (status !== null && status.leader !== 0n && status.leader === status.header?.memberId) {
        return at;
      }
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`no leader among ${endpoints.join(", ")}`);
}

async function waitUntilWhole(endpoints: readonly string[]): Promise<void> {
  const deadlineMs = performance.now() + 30_000;
  while (performance.now() < deadlineMs) {
    const statuses = await Promise.all(endpoints.map(statusOf));
    const leaders = new Set(statuses.map((status) => status?.leader ?? 0n));
    if (leaders.size === 1 && !leaders.has(0n)) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`not all of ${endpoints.join(", ")} follow one leader`);
}

async function statusOf(endpoint: string): Promise<etcd.StatusResponse | null> {
  const client = new GrpcClient(endpoint);
  const result = await client.call(
    "/etcdserverpb.Maintenance/Status",
    new Uint8Array(0),
    statusTimeoutMs,
  );
  client.close();
  return result.code === GrpcCode.Ok
    ? fromBinary(etcd.StatusResponseSchema, result.message!)
    : null;
}

/** User and system time of a process, from /proc (clock ticks of 10 ms). */
function cpuSecondsOf(pid: number | undefined): number {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return (Number(fields[11]) + Number(fields[12])) / 100;
  } catch {
    return 0;
  }
}

async function countSyncs(endpoints: readonly string[]): Promise<number> {
  let total = 0;
  for (const endpoint of endpoints) {
    const text = await httpGet(`http://${endpoint}/metrics`);
    const match = /^etcd_disk_wal_fsync_duration_seconds_count(?:\{[^}]*\})? (\S+)$/m.exec(text);
    total += match === null ? 0 : Number(match[1]);
  }
  return total;
}

function httpGet(url: string): Promise<string> {
  return new Promise((resolve) => {
    get(url, (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => {
        text += chunk;
      });
      response.on("end", () => resolve(text));
    }).on("error", () => resolve(""));
  });
}

async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from(
      { length: count },
      () =>
        new Promise<net.Server>((resolve) => {
          const server = net.createServer();
          server.listen(0, "127.0.0.1", () => resolve(server));
        }),
    ),
  );
  const ports = servers.map((server) => (server.address() as net.AddressInfo).port);
  for (const server of servers) {
    server.close();
  }
  return ports;
}
