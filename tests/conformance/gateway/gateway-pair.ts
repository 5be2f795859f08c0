// One etcd and one member of Quorate, both fresh and both saying that they are 3.4.23, to send the same
// HTTP requests to: what comes back has to be equal but for the ids of cluster and member.
import { deepEqual } from "node:assert/strict";
import { TestCluster } from "../../processes/cluster.ts";
import { EtcdCluster } from "../../processes/etcd-cluster.ts";
import { eventually } from "../../processes/eventually.ts";
import { httpCall } from "./http-call.ts";
import type { HttpAnswer, HttpCall } from "./http-call.ts";

export class GatewayPair {
  readonly etcd: EtcdCluster;
  readonly quorate: TestCluster;

  constructor(etcd: EtcdCluster, quorate: TestCluster) {
    this.etcd = etcd;
    this.quorate = quorate;
  }

  static async start(flags: readonly string[] = []): Promise<GatewayPair> {
    const etcd = await EtcdCluster.start(1, flags);
    const ours = ["--compat-version=3.4.23", ...flags];
    const quorate = await TestCluster.make({ size: 1, flags: ours });
    quorate.start();
    await quorate.ready();
    const pair = new GatewayPair(etcd, quorate);
    try {
      await Promise.all([pair.etcdAddress, pair.quorateAddress].map(serves));
      return pair;
    } catch (error) {
      await pair.close();
      throw error;
    }
  }

  get etcdAddress(): string {
    return this.etcd.addresses[0]!;
  }

  get quorateAddress(): string {
    return this.quorate.members[0]!.address;
  }

  /** Sends it to both; what Quorate answered, when it is what etcd did. */
  async same(call: HttpCall): Promise<HttpAnswer> {
    const [theirs, ours] = await Promise.all([
      httpCall(this.etcdAddress, call),
      httpCall(this.quorateAddress, call),
    ]);
    deepEqual(
      plain(ours),
      plain(theirs),
      `${call.method ?? "POST"} ${call.path} ${String(call.body ?? "")}`,
    );
    return ours;
  }

  async close(): Promise<void> {
    await this.quorate.close();
    await this.etcd.close();
  }
}

/** Names in place of what belongs to one cluster alone. */
export function plainBody(body: string): string {
  return body
    .replace(/"(cluster_id|member_id|ID|leader)":"[0-9]+"/g, '"$1":"ID"')
    .replace(
      /"(raft_term|raftTerm|raftIndex|raftAppliedIndex|dbSize|dbSizeInUse)":"[0-9]+"/g,
      '"$1":"N"',
    )
    .replace(/http:\/\/127\.0\.0\.1:[0-9]+/g, "URL");
}

function plain({ headers, body, ...rest }: HttpAnswer): unknown {
  const { "content-length": length, ...others } = headers;
  const told = plainBody(body);
  // Ids and terms have different lengths: then the length of the body says nothing.
  const sized = told === body ? { "content-length": length } : {};
  return { ...rest, headers: { ...others, ...sized }, body: told };
}

async function serves(address: string): Promise<void> {
  await eventually("it serves", () =>
    httpCall(address, { method: "GET", path: "/health" }).then(
      ({ status }) => status === 200,
      () => false,
    ),
  );
}
