// A fresh Quorate and a fresh etcd, and etcdctl run against both: output and exit code must be equal but
// for what belongs to one cluster alone, which is replaced by a name.
import { deepEqual } from "node:assert/strict";
import { TestCluster } from "./cluster.ts";
import { EtcdCluster } from "./etcd-cluster.ts";
import { eventually } from "./eventually.ts";
import { runTool } from "./run-tool.ts";
import type { Outcome } from "./run-tool.ts";

/** A command line, split at spaces ('' is an empty word), and its standard input. */
export type Command = readonly [line: string, input?: string];

export function etcdctl(
  addresses: string,
  argv: readonly string[],
  input: string = "",
): Promise<Outcome> {
  // It logs in within its time to connect: two seconds are little on a loaded machine.
  const patience = ["--dial-timeout=30s", "--command-timeout=60s"];
  return runTool("etcdctl", [`--endpoints=${addresses}`, ...patience, ...argv], input);
}

type Side = "quorate" | "etcd";

export class BothClusters {
  readonly quorate: TestCluster;
  readonly etcd: EtcdCluster;

  constructor(quorate: TestCluster, etcd: EtcdCluster) {
    this.quorate = quorate;
    this.etcd = etcd;
  }

  static async start(flags: readonly string[] = []): Promise<BothClusters> {
    const etcd = await EtcdCluster.start(3, flags);
    const quorate = await TestCluster.make({ flags: ["--compat-version=3.4.23", ...flags] });
    const both = new BothClusters(quorate, etcd);
    try {
      quorate.start();
      await quorate.ready();
      await eventually("etcd serves", async () => {
        const all = await Promise.all(etcd.addresses.map((a) => etcdctl(a, ["get", "nothing"])));
        return all.every(({ code }) => code === 0);
      });
      return both;
    } catch (error) {
      quorate.showLogs();
      await both.close();
      throw error;
    }
  }

  /** Runs every command on both, each at the next of the three endpoints; yields Quorate's outcomes. */
  async same(commands: readonly Command[]): Promise<Outcome[]> {
    const outcomes: Outcome[] = [];
    for (const [at, [line, input = ""]] of commands.entries()) {
      const argv = line.split(" ").map((word) => (word === "''" ? "" : word));
      const run = async (side: Side): Promise<Outcome> => {
        const all = this.#addressesOf(side);
        const { code, out, err } = await etcdctl(all[at % all.length]!, argv, input);
        return { code, out: this.#plain(side, out), err: this.#plain(side, err) };
      };
      const [ours, theirs] = await Promise.all([run("quorate"), run("etcd")]);
      deepEqual(ours, theirs, `etcdctl ${line}`);
      outcomes.push(ours);
    }
    return outcomes;
  }

  async close(): Promise<void> {
    await this.quorate.close();
    await this.etcd.close();
  }

  #addressesOf(side: Side): readonly string[] {
    return side === "etcd" ? this.etcd.addresses : this.quorate.members.map((m) => m.address);
  }

  #plain(side: Side, text: string): string {
    let result = text;
    this.#addressesOf(side).forEach((address, at) => {
      result = result.replaceAll(address, `CLIENT${at + 1}`);
    });
    return result
      .replace(/"ts":"[^"]*"/g, '"ts":TIME')
      .replace(/endpoint:\/\/client-[-0-9a-f]+\/CLIENT\d/g, "CLIENT")
      .replace(/took = [0-9.]+[µm]?s/g, "took = TIME")
      .replace(/"(cluster_id|member_id|raft_term)":\d+/g, '"$1":N')
      .replace(/\b[0-9a-f]{13,16}\b/g, "ID");
  }
}
