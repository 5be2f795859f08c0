// The servers under test: Quorate, or Debian's etcd. Either is a cluster of real processes, asked over
// the wire only.
import { GrpcCode } from "@quorate/grpc";
import { etcd } from "@quorate/proto";
import { TestCluster } from "../../processes/cluster.ts";
import type { ClusterFlags } from "../../processes/cluster.ts";
import { EtcdCluster, etcdMissing } from "../../processes/etcd-cluster.ts";
import { eventually } from "../../processes/eventually.ts";
import { TestMember } from "../../processes/member.ts";
import { freePorts } from "../../processes/ports.ts";
import { WireClient } from "../wire/wire-client.ts";

export type ServerKind = "etcd" | "quorate";

export interface ServerSetup {
  /** How many members. */
  readonly members: 1 | 3;
  /** Flags that both servers know. */
  readonly flags?: ClusterFlags;
}

/** A member to be: it is started after a case has added it. */
export interface Joiner {
  readonly address: string;
  readonly peerUrl: string;
  readonly start: () => void;
}

/** A running cluster of either kind. */
export interface Servers {
  readonly kind: ServerKind;
  /** The --initial-cluster-token. */
  readonly token: string;
  /** Of the members, "host:port" for clients. */
  readonly addresses: readonly string[];
  /** Ports for one more member. */
  joiner(): Promise<Joiner>;
  /** kill -9 of one member. */
  kill(at: number): Promise<void>;
  /** Null: every member that was not killed still runs; else who has ended. */
  crashed(): string | null;
  /** The last lines that its members said. */
  show(): void;
  close(): Promise<void>;
}

/** Why a kind cannot be run here; null: it can. */
export function missingReason(kind: ServerKind): string | null {
  return kind === "etcd" ? etcdMissing() : null;
}

export async function startServers(kind: ServerKind, setup: ServerSetup): Promise<Servers> {
  const servers =
    kind === "etcd"
      ? new EtcdServers(await EtcdCluster.start(setup.members, setup.flags))
      : await QuorateServers.start(setup);
  try {
    await serving(servers.addresses);
  } catch (error) {
    servers.show();
    await servers.close();
    throw error;
  }
  return servers;
}

/** Every member answers a linearizable read. */
async function serving(addresses: readonly string[]): Promise<void> {
  for (const address of addresses) {
    const client = new WireClient(address);
    await eventually(`${address} serves`, async () => {
      const { end } = await client.unary(etcd.KV.method.range, { key: Buffer.from("nothing") });
      return end.code === GrpcCode.Ok;
    });
    client.close();
  }
}

class EtcdServers implements Servers {
  readonly kind = "etcd";
  /** etcd's own when none is given. */
  readonly token = "etcd-cluster";
  readonly addresses: readonly string[];
  readonly #cluster: EtcdCluster;
  readonly #killed: Set<number>;

  constructor(cluster: EtcdCluster) {
    this.addresses = cluster.addresses;
    this.#cluster = cluster;
    this.#killed = new Set();
  }

  async joiner(): Promise<Joiner> {
    const { clientUrl, peerUrl, ...joiner } = await this.#cluster.joiner();
    return { address: clientUrl.replace("http://", ""), peerUrl, ...joiner };
  }

  async kill(at: number): Promise<void> {
    this.#killed.add(at);
    await this.#cluster.kill(at);
  }

  crashed(): string | null {
    const at = this.addresses.findIndex((_, i) => !this.#killed.has(i) && !this.#cluster.runs(i));
    return at < 0 ? null : `member ${at + 1} has ended`;
  }

  show(): void {}

  close(): Promise<void> {
    return this.#cluster.close();
  }
}

class QuorateServers implements Servers {
  readonly kind = "quorate";
  readonly token: string;
  readonly addresses: readonly string[];
  readonly #cluster: TestCluster;
  readonly #killed: Set<number>;
  readonly #joined: TestMember[];

  constructor(cluster: TestCluster) {
    this.token = cluster.folder;
    this.addresses = cluster.members.map((member) => member.address);
    this.#cluster = cluster;
    this.#killed = new Set();
    this.#joined = [];
  }

  static async start({ members, flags }: ServerSetup): Promise<QuorateServers> {
    const cluster = await TestCluster.make({ size: members, flags: flags ?? [] });
    cluster.start();
    const servers = new QuorateServers(cluster);
    try {
      await cluster.ready();
    } catch (error) {
      servers.show();
      await servers.close();
      throw error;
    }
    return servers;
  }

  async joiner(): Promise<Joiner> {
    const clientPort = await freePorts(1);
    const name = `j${this.#joined.length + 1}`;
    const peerPort = clientPort + 1;
    const place = { name, clientPort, peerPort, directory: `${this.#cluster.folder}/${name}` };
    const peerUrl = `http://127.0.0.1:${peerPort}`;
    const others = this.#cluster.members.map((m) => `${m.name}=http://127.0.0.1:${m.peerPort}`);
    const member = new TestMember(place, [
      `--name=${name}`,
      `--data-dir=${place.directory}`,
      `--listen-client-urls=http://127.0.0.1:${clientPort}`,
      `--advertise-client-urls=http://127.0.0.1:${clientPort}`,
      `--listen-peer-urls=${peerUrl}`,
      `--initial-advertise-peer-urls=${peerUrl}`,
      `--initial-cluster=${[...others, `${name}=${peerUrl}`].join(",")}`,
      "--initial-cluster-state=existing",
      `--initial-cluster-token=${this.token}`,
      "--log-format=json",
    ]);
    this.#joined.push(member);
    return { address: member.address, peerUrl, start: () => member.start() };
  }

  async kill(at: number): Promise<void> {
    this.#killed.add(at);
    await this.#cluster.members[at]!.kill();
  }

  crashed(): string | null {
    const { members } = this.#cluster;
    const at = members.findIndex((member, i) => !this.#killed.has(i) && !member.running);
    return at < 0 ? null : `${members[at]!.name} has ended`;
  }

  show(): void {
    this.#cluster.showLogs();
  }

  async close(): Promise<void> {
    for (const member of this.#joined) {
      await member.kill();
      member.client.close();
    }
    await this.#cluster.close();
  }
}
