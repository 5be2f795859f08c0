// The whole cluster from any of its endpoints: the endpoints answer for themselves and for the list
// of members; those of the list that have not answered yet are asked at their client URLs.
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import type { GrpcTls } from "@quorate/grpc";
import { etcd } from "@quorate/proto";
import { ClusterClient } from "../client/cluster-client.ts";
import { CommandError } from "../exit.ts";
import { askMember, hexId } from "./member-report.ts";
import type { Asked, MemberReport } from "./member-report.ts";

export interface MemberState {
  readonly name: string;
  readonly memberId: string;
  readonly isLearner: boolean;
  /** Its client URL, without http://; "" while it has told none. */
  readonly address: string;
  /** Null: `reason` says why it did not answer. */
  readonly report: MemberReport | null;
  readonly reason: string;
}

/** In the order of their names; throws CommandError when no endpoint answers. */
export async function collect(
  endpoints: readonly string[],
  timeoutMs: number,
  tls: GrpcTls,
): Promise<MemberState[]> {
  const first = await Promise.all(endpoints.map((address) => askMember(address, timeoutMs, tls)));
  const known = new Map<string, Asked>();
  for (const asked of first) {
    if (asked.ok) known.set(asked.report.memberId, asked);
  }
  if (known.size === 0) {
    const reasons = first.map((asked) =>
      asked.ok ? "" : `cannot ask ${asked.address}: ${asked.reason}`,
    );
    throw new CommandError(reasons.join("; "));
  }
  const answering = first.filter((asked) => asked.ok).map((asked) => asked.address);
  const members = await memberList(answering, timeoutMs, tls);
  const states = members.map((member) => stateOf(member, known, { timeoutMs, tls }));
  return (await Promise.all(states)).sort((a, b) => (a.name < b.name ? -1 : 1));
}

async function memberList(
  endpoints: readonly string[],
  timeoutMs: number,
  tls: GrpcTls,
): Promise<etcd.Member[]> {
  const client = new ClusterClient(endpoints, timeoutMs, tls);
  const request = toBinary(etcd.MemberListRequestSchema, create(etcd.MemberListRequestSchema));
  const answer = await client.read("/etcdserverpb.Cluster/MemberList", request);
  return fromBinary(etcd.MemberListResponseSchema, answer).members;
}

async function stateOf(
  member: etcd.Member,
  known: ReadonlyMap<string, Asked>,
  { timeoutMs, tls }: { readonly timeoutMs: number; readonly tls: GrpcTls },
): Promise<MemberState> {
  const memberId = hexId(member.ID);
  const addresses = member.clientURLs.map((url) => url.replace(/^http:\/\//, ""));
  let asked = known.get(memberId) ?? null;
  for (const address of addresses) {
    if (asked?.ok === true) break;
    asked = await askMember(address, timeoutMs, tls);
  }
  const named = { name: member.name, memberId, isLearner: member.isLearner };
  if (asked === null) {
    return { ...named, address: "", report: null, reason: "it has told no client URL yet" };
  }
  const { address } = asked;
  return asked.ok
    ? { ...named, address, report: asked.report, reason: "" }
    : { ...named, address, report: null, reason: asked.reason };
}
