// A real etcd of three members beside Quorate's, for tests that compare what clients see.
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { plainEnvironment, toolVersion } from "./entry.ts";
import { freePorts } from "./ports.ts";

/** Why etcd cannot be run here; null: it can. */
export function etcdMissing(): string | null {
  if (toolVersion("etcdctl", "version") === null) return "etcdctl is not installed";
  return toolVersion("etcd", "--version") === null ? "etcd is not installed" : null;
}

export class EtcdCluster {
  readonly addresses: readonly string[];
  readonly #children: readonly ChildProcess[];
  readonly #folder: string;

  constructor(addresses: readonly string[], children: readonly ChildProcess[], folder: string) {
    this.addresses = addresses;
    this.#children = children;
    this.#folder = folder;
  }

  static async start(size: number, flags: readonly string[] = []): Promise<EtcdCluster> {
    const firstPort = await freePorts(size);
    const folder = mkdtempSync(join(tmpdir(), "quorate-etcd-"));
    const names = Array.from({ length: size }, (_, at) => `m${at + 1}`);
    const clientUrl = (at: number): string => `http://127.0.0.1:${firstPort + 2 * at}`;
    const peerUrl = (at: number): string => `http://127.0.0.1:${firstPort + 2 * at + 1}`;
    const list = names.map((name, at) => `${name}=${peerUrl(at)}`).join(",");
    const children = names.map((name, at) =>
      spawn(
        "etcd",
        [
          `--name=${name}`,
          `--data-dir=${join(folder, name)}`,
          `--listen-client-urls=${clientUrl(at)}`,
          `--advertise-client-urls=${clientUrl(at)}`,
          `--listen-peer-urls=${peerUrl(at)}`,
          `--initial-advertise-peer-urls=${peerUrl(at)}`,
          `--initial-cluster=${list}`,
          "--logger=zap",
          "--log-level=error",
          ...flags,
        ],
        { env: plainEnvironment(), stdio: "ignore" },
      ),
    );
    const addresses = names.map((_, at) => clientUrl(at).replace("http://", ""));
    return new EtcdCluster(addresses, children, folder);
  }

  runs(at: number): boolean {
    const { exitCode, signalCode } = this.#children[at]!;
    return exitCode === null && signalCode === null;
  }

  /** kill -9; resolves when the process is gone. */
  async kill(at: number): Promise<void> {
    if (!this.runs(at)) return;
    const child = this.#children[at]!;
    const end = new Promise((resolve) => child.on("close", resolve));
    child.kill("SIGKILL");
    await end;
  }

  async close(): Promise<void> {
    await Promise.all(this.#children.map((_, at) => this.kill(at)));
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
