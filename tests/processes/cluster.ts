// A real cluster for tests: `quorate serve` processes on free ports of loopback with their data in a
// temporary folder. Waits on conditions, never on times; leaves nothing behind.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { GrpcTls } from "@quorate/grpc";
import type { inspect } from "@quorate/proto";
import { eventually } from "./eventually.ts";
import { TestMember } from "./member.ts";
import { freePorts } from "./ports.ts";

export interface ClusterOptions {
  /** How many members; 3 unless said. */
  readonly size?: number;
  /** More flags for every member. */
  readonly flags?: ClusterFlags;
  readonly tls?: ClusterTls;
}

/** A function is given the cluster's folder, for files that the flags name. */
export type ClusterFlags = readonly string[] | ((folder: string) => readonly string[]);

export function flagsIn(folder: string, flags: ClusterFlags): readonly string[] {
  return typeof flags === "function" ? flags(folder) : flags;
}

/** Which URLs are https; the flags name the files. */
export interface ClusterTls {
  /** With what the clients' ports are called; null: they speak no TLS. */
  readonly client: GrpcTls | null;
  readonly peer: boolean;
  flagsOf(name: string): readonly string[];
}

const logLinesShown = 40;

/** Runs `use` with a fresh cluster, started and ready; shows the logs when it fails. */
export async function withCluster(
  options: ClusterOptions,
  use: (cluster: TestCluster) => Promise<void>,
): Promise<void> {
  const cluster = await TestCluster.make(options);
  try {
    cluster.start();
    await cluster.ready();
    await use(cluster);
    cluster.checkLogs();
  } catch (error) {
    cluster.showLogs();
    throw error;
  } finally {
    await cluster.close();
  }
}

export class TestCluster {
  readonly members: readonly TestMember[];
  readonly folder: string;

  constructor(members: readonly TestMember[], folder: string) {
    this.members = members;
    this.folder = folder;
  }

  /** Nothing is started yet. */
  static async make(options: ClusterOptions = {}): Promise<TestCluster> {
    const size = options.size ?? 3;
    const firstPort = await freePorts(size);
    const folder = mkdtempSync(join(tmpdir(), "quorate-cluster-"));
    const places = Array.from({ length: size }, (_, at) => ({
      name: `m${at + 1}`,
      clientPort: firstPort + 2 * at,
      peerPort: firstPort + 2 * at + 1,
      directory: join(folder, `m${at + 1}`),
    }));
    const { tls } = options;
    const flags = flagsIn(folder, options.flags ?? []);
    const peerUrl = (port: number): string =>
      `${tls?.peer === true ? "https" : "http"}://127.0.0.1:${port}`;
    const security = tls?.client ?? null;
    const clientUrl = (port: number): string =>
      `${security === null ? "http" : "https"}://127.0.0.1:${port}`;
    const list = places.map(({ name, peerPort }) => `${name}=${peerUrl(peerPort)}`).join(",");
    const members = places.map(
      (place) =>
        new TestMember(
          place,
          [
            `--name=${place.name}`,
            `--data-dir=${place.directory}`,
            `--listen-client-urls=${clientUrl(place.clientPort)}`,
            `--advertise-client-urls=${clientUrl(place.clientPort)}`,
            `--listen-peer-urls=${peerUrl(place.peerPort)}`,
            `--initial-advertise-peer-urls=${peerUrl(place.peerPort)}`,
            `--initial-cluster=${list}`,
            `--initial-cluster-token=${folder}`,
            "--log-format=json",
            ...flags,
            ...(tls?.flagsOf(place.name) ?? []),
          ],
          security,
        ),
    );
    return new TestCluster(members, folder);
  }

  get endpoints(): string {
    return this.members.map((member) => member.address).join(",");
  }

  get running(): readonly TestMember[] {
    return this.members.filter((member) => member.running);
  }

  member(name: string): TestMember {
    const found = this.members.find((member) => member.name === name);
    if (found === undefined) {
      throw new Error(`no member ${name}`);
    }
    return found;
  }

  /** Starts every member that is not running. */
  start(): void {
    for (const member of this.members) {
      if (!member.running) member.start();
    }
  }

  /** Every running member serves, none is quiet, and all follow the same leader of the same term. */
  async ready(): Promise<TestMember> {
    let seen = "";
    try {
      return await eventually("the cluster is ready", async () => {
        const all = await this.statuses();
        seen = all.map(describe).join("; ");
        const [first] = all;
        const agree = all.every(
          (status) =>
            status?.phase === "running" &&
            !status.quiet &&
            status.leader !== "" &&
            status.leader === first?.leader &&
            status.term === first.term,
        );
        return agree ? this.member(first!.leader) : null;
      });
    } catch (error) {
      throw new Error(`${(error as Error).message} (${seen})`, { cause: error });
    }
  }

  /** Of the running members, in their order. */
  statuses(): Promise<(inspect.StatusResponse | null)[]> {
    return Promise.all(this.running.map((member) => member.status()));
  }

  /** The present leader among the running members. */
  leader(): Promise<TestMember> {
    return eventually("a leader", async () => {
      const statuses = await this.statuses();
      const leaders = statuses.filter((status) => status?.role === "leader");
      const newest = leaders.sort((a, b) => Number(b!.term - a!.term))[0];
      return newest === undefined ? null : this.member(newest!.name);
    });
  }

  /** Every running member has applied the same entries to the same rows; the digest they share. */
  async equalDigests(): Promise<string> {
    let seen = "";
    try {
      return await eventually("equal digests", async () => {
        const all = await this.statuses();
        seen = all.map(describe).join("; ");
        const [first] = all;
        const equal = all.every(
          (status) =>
            status?.phase === "running" &&
            status.applied === first?.applied &&
            status.liveDigest === first.liveDigest &&
            status.applyDigest === first.applyDigest,
        );
        return equal ? first!.liveDigest : null;
      });
    } catch (error) {
      throw new Error(`${(error as Error).message} (${seen})`, { cause: error });
    }
  }

  /** Members compare digests all the time by themselves: none may ever have found a difference. */
  checkLogs(): void {
    for (const { name, log } of this.members) {
      const found = log.find((line) => /"msg":"(?:digest differs|assertion failed)/.test(line));
      if (found !== undefined) throw new Error(`${name} logged: ${found}`);
    }
  }

  showLogs(): void {
    for (const { name, log } of this.members) {
      process.stderr.write(`--- last lines of ${name}\n${log.slice(-logLinesShown).join("\n")}\n`);
    }
  }

  /** Kills what runs and removes the folder. */
  async close(): Promise<void> {
    await Promise.all(this.members.map((member) => member.kill()));
    for (const member of this.members) member.client.close();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

function describe(status: inspect.StatusResponse | null): string {
  if (status === null) {
    return "no answer";
  }
  const { name, phase, role, term, leader, committed, applied, liveDigest, quiet } = status;
  return (
    `${name} ${phase}${quiet ? " quiet" : ""} ${role} term ${term} leader ${leader || "-"} ` +
    `commit ${committed} applied ${applied} digest ${liveDigest}`
  );
}
