// A real etcd of one or three members beside Quorate's, for tests that compare what clients see.
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { flagsIn } from "./cluster.ts";
import type { ClusterFlags } from "./cluster.ts";
import { plainEnvironment, toolVersion } from "./entry.ts";
import { freePorts } from "./ports.ts";

/** Why etcd cannot be run here; null: it can. */
export function etcdMissing(): string | null {
  if (toolVersion("etcdctl", "version") === null) return "etcdctl is not installed";
  return toolVersion("etcd", "--version") === null ? "etcd is not installed" : null;
}

interface EtcdPlace {
  readonly name: string;
  readonly clientUrl: string;
  readonly peerUrl: string;
}

/** A member to be: it is started after it was added. */
export interface EtcdJoiner extends EtcdPlace {
  readonly start: () => void;
}

export class EtcdCluster {
  readonly addresses: readonly string[];
  readonly #places: readonly EtcdPlace[];
  readonly #children: ChildProcess[];
  readonly #folder: string;
  readonly #flags: readonly string[];

  constructor(places: readonly EtcdPlace[], folder: string, flags: readonly string[]) {
    this.addresses = places.map(({ clientUrl }) => clientUrl.replace("http://", ""));
    this.#places = places;
    this.#folder = folder;
    this.#flags = flags;
    this.#children = places.map((place) => this.#spawn(place, places, "new"));
  }

  static async start(size: number, flags: ClusterFlags = []): Promise<EtcdCluster> {
    const firstPort = await freePorts(size);
    const folder = mkdtempSync(join(tmpdir(), "quorate-etcd-"));
    const places = Array.from({ length: size }, (_, at) => placeOf(at, firstPort + 2 * at));
    return new EtcdCluster(places, folder, flagsIn(folder, flags));
  }

  async joiner(): Promise<EtcdJoiner> {
    const place = placeOf(this.#children.length, await freePorts(1));
    const start = (): void => {
      this.#children.push(this.#spawn(place, [...this.#places, place], "existing"));
    };
    return { ...place, start };
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

  #spawn(place: EtcdPlace, all: readonly EtcdPlace[], state: "new" | "existing"): ChildProcess {
    const { name, clientUrl, peerUrl } = place;
    const list = all.map((each) => `${each.name}=${each.peerUrl}`).join(",");
    const flags = [
      `--name=${name}`,
      `--data-dir=${join(this.#folder, name)}`,
      `--listen-client-urls=${clientUrl}`,
      `--advertise-client-urls=${clientUrl}`,
      `--listen-peer-urls=${peerUrl}`,
      `--initial-advertise-peer-urls=${peerUrl}`,
      `--initial-cluster=${list}`,
      `--initial-cluster-state=${state}`,
      "--logger=zap",
      "--log-level=error",
      ...this.#flags,
    ];
    return spawn("etcd", flags, { env: plainEnvironment(), stdio: "ignore" });
  }
}

function placeOf(at: number, firstPort: number): EtcdPlace {
  const url = (port: number): string => `http://127.0.0.1:${port}`;
  return { name: `m${at + 1}`, clientUrl: url(firstPort), peerUrl: url(firstPort + 1) };
}
