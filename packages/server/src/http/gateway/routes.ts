// Which RPC stands behind which path of the gateway: every row of etcd's google.api.http options
// (etcd-api.md §1.2). All are POST; the messages come from the descriptors.
import type { DescMessage, DescService } from "@bufbuild/protobuf";
import { assert } from "@quorate/base";
import { election, etcd, lock } from "@quorate/proto";

export const CallKind = {
  Unary: "unary",
  ServerStream: "server_streaming",
  Bidi: "bidi_streaming",
} as const;
export type CallKind = (typeof CallKind)[keyof typeof CallKind];

export interface Route {
  /** "/package.Service/Method" */
  readonly grpcPath: string;
  readonly kind: CallKind;
  readonly input: DescMessage;
  readonly output: DescMessage;
}

type Row = readonly [rpc: string, ...paths: string[]];

const kv: readonly Row[] = [
  ["Range", "kv/range"],
  ["Put", "kv/put"],
  ["DeleteRange", "kv/deleterange"],
  ["Txn", "kv/txn"],
  ["Compact", "kv/compaction"],
];

const watch: readonly Row[] = [["Watch", "watch"]];

const lease: readonly Row[] = [
  ["LeaseGrant", "lease/grant"],
  ["LeaseRevoke", "lease/revoke", "kv/lease/revoke"],
  ["LeaseKeepAlive", "lease/keepalive"],
  ["LeaseTimeToLive", "lease/timetolive", "kv/lease/timetolive"],
  ["LeaseLeases", "lease/leases", "kv/lease/leases"],
];

const cluster: readonly Row[] = [
  ["MemberAdd", "cluster/member/add"],
  ["MemberRemove", "cluster/member/remove"],
  ["MemberUpdate", "cluster/member/update"],
  ["MemberList", "cluster/member/list"],
  ["MemberPromote", "cluster/member/promote"],
];

const maintenance: readonly Row[] = [
  ["Alarm", "maintenance/alarm"],
  ["Status", "maintenance/status"],
  ["Defragment", "maintenance/defragment"],
  ["Hash", "maintenance/hash"],
  ["HashKV", "maintenance/hashkv"],
  ["Snapshot", "maintenance/snapshot"],
  ["MoveLeader", "maintenance/transfer-leadership"],
  ["Downgrade", "maintenance/downgrade"],
];

const auth: readonly Row[] = [
  ["AuthEnable", "auth/enable"],
  ["AuthDisable", "auth/disable"],
  ["AuthStatus", "auth/status"],
  ["Authenticate", "auth/authenticate"],
  ["UserAdd", "auth/user/add"],
  ["UserGet", "auth/user/get"],
  ["UserList", "auth/user/list"],
  ["UserDelete", "auth/user/delete"],
  ["UserChangePassword", "auth/user/changepw"],
  ["UserGrantRole", "auth/user/grant"],
  ["UserRevokeRole", "auth/user/revoke"],
  ["RoleAdd", "auth/role/add"],
  ["RoleGet", "auth/role/get"],
  ["RoleList", "auth/role/list"],
  ["RoleDelete", "auth/role/delete"],
  ["RoleGrantPermission", "auth/role/grant"],
  ["RoleRevokePermission", "auth/role/revoke"],
];

const locks: readonly Row[] = [
  ["Lock", "lock/lock"],
  ["Unlock", "lock/unlock"],
];

const elections: readonly Row[] = [
  ["Campaign", "election/campaign"],
  ["Proclaim", "election/proclaim"],
  ["Leader", "election/leader"],
  ["Observe", "election/observe"],
  ["Resign", "election/resign"],
];

function routesOf(service: DescService, rows: readonly Row[]): (readonly [string, Route])[] {
  return rows.flatMap(([rpc, ...paths]) => {
    const method = service.methods.find(({ name }) => name === rpc);
    assert(method !== undefined, "every row names a method of its service");
    assert(method.methodKind !== "client_streaming", "etcd has none");
    const { methodKind: kind, input, output } = method;
    const route = { grpcPath: `/${service.typeName}/${rpc}`, kind, input, output };
    return paths.map((path) => [`/v3/${path}`, route] as const);
  });
}

/** By path. */
export const routes: ReadonlyMap<string, Route> = new Map([
  ...routesOf(etcd.KV, kv),
  ...routesOf(etcd.Watch, watch),
  ...routesOf(etcd.Lease, lease),
  ...routesOf(etcd.Cluster, cluster),
  ...routesOf(etcd.Maintenance, maintenance),
  ...routesOf(etcd.Auth, auth),
  ...routesOf(lock.Lock, locks),
  ...routesOf(election.Election, elections),
]);
