// etcd's own tools on snapshots: etcdctl as a command, and a real etcd of one member that was restored
// from a snapshot file.
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { plainEnvironment } from "../../processes/entry.ts";
import { eventually } from "../../processes/eventually.ts";
import { freePorts } from "../../processes/ports.ts";
import { runTool } from "../../processes/run-tool.ts";
import type { Outcome } from "../../processes/run-tool.ts";

/** Without addresses: a command on files. */
export function etcdctl(addresses: string, argv: readonly string[]): Promise<Outcome> {
  const endpoints = addresses === "" ? [] : [`--endpoints=${addresses}`];
  return runTool("etcdctl", [...endpoints, ...argv]);
}

/** Its standard output; what failed is thrown with what it said. */
export async function mustEtcdctl(addresses: string, argv: readonly string[]): Promise<string> {
  const { code, out, err } = await etcdctl(addresses, argv);
  if (code !== 0) throw new Error(`etcdctl ${argv.join(" ")}: ${code}: ${err || out}`);
  return out;
}

export interface SnapshotStatus {
  readonly hash: number;
  readonly revision: number;
  readonly totalKey: number;
  readonly totalSize: number;
}

/** With bbolt's own check of every page (etcdctl 3.4). */
export async function snapshotStatus(path: string): Promise<SnapshotStatus> {
  const out = await mustEtcdctl("", ["snapshot", "status", path, "--write-out=json"]);
  return JSON.parse(out) as SnapshotStatus;
}

export interface EtcdHash {
  readonly hash: number;
  readonly compactRevision: number;
  readonly revision: number;
}

export async function etcdHash(address: string, revision: number = 0): Promise<EtcdHash> {
  const argv = ["endpoint", "hashkv", `--rev=${revision}`, "--write-out=json"];
  const [found] = JSON.parse(await mustEtcdctl(address, argv)) as [
    { HashKV: { header: { revision: number }; hash: number; compact_revision?: number } },
  ];
  const { header, hash, compact_revision: compactRevision = 0 } = found.HashKV;
  return { hash, compactRevision, revision: header.revision };
}

export class RestoredEtcd {
  readonly address: string;
  readonly #child: ChildProcess;
  readonly #folder: string;

  constructor(address: string, child: ChildProcess, folder: string) {
    this.address = address;
    this.#child = child;
    this.#folder = folder;
  }

  static async start(snapshot: string): Promise<RestoredEtcd> {
    const port = await freePorts(1);
    const folder = mkdtempSync(join(tmpdir(), "quorate-restored-"));
    const clientUrl = `http://127.0.0.1:${port}`;
    const peerUrl = `http://127.0.0.1:${port + 1}`;
    const shared = [
      "--name=e1",
      `--data-dir=${join(folder, "e1")}`,
      `--initial-advertise-peer-urls=${peerUrl}`,
      `--initial-cluster=e1=${peerUrl}`,
    ];
    await mustEtcdctl("", ["snapshot", "restore", snapshot, ...shared]);
    const flags = [
      `--listen-client-urls=${clientUrl}`,
      `--advertise-client-urls=${clientUrl}`,
      `--listen-peer-urls=${peerUrl}`,
      "--logger=zap",
      "--log-level=error",
    ];
    const env = plainEnvironment();
    const child = spawn("etcd", [...shared, ...flags], { env, stdio: "ignore" });
    const restored = new RestoredEtcd(`127.0.0.1:${port}`, child, folder);
    await eventually("the restored etcd serves", async () => {
      if (child.exitCode !== null) throw new Error(`etcd ended with ${child.exitCode}`);
      const { code, err } = await etcdctl(restored.address, ["get", "nothing"]);
      // With authentication on, it says so to nobody.
      return code === 0 || err.includes("etcdserver: user name is empty");
    });
    return restored;
  }

  async close(): Promise<void> {
    const end = new Promise((resolve) => this.#child.on("close", resolve));
    if (this.#child.exitCode === null && this.#child.kill("SIGKILL")) await end;
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
