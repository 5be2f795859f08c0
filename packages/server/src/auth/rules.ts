// Who may call what while authentication is on: one row for every method, no row no method (§1.7 of
// etcd's contract, CVE-2026-33413). Rights to keys are not here: they are asked for where an operation is
// applied and where a read is served (kv/src/auth/auth-gate.ts).

export const Rule = {
  /** Anybody. */
  Open: 1,
  /** Any user. */
  User: 2,
  /** Any user; what of it that one may do is decided by the state machine. */
  Rights: 3,
  /** An administrator, also as the newest state has it. */
  Admin: 4,
  /** An administrator; where there is no leader, as this member knows it. */
  AdminHere: 5,
  /** Anybody may begin; the handler admits each of its messages by itself, and refuses in its own form. */
  Own: 6,
} as const;
export type Rule = (typeof Rule)[keyof typeof Rule];

const { Open, User, Rights, Admin, AdminHere, Own } = Rule;

/** By full method name; also of what other releases have and what is not built yet. */
export const rules: Readonly<Record<string, Rule>> = {
  "/etcdserverpb.KV/Range": Rights,
  "/etcdserverpb.KV/RangeStream": Rights,
  "/etcdserverpb.KV/Put": Rights,
  "/etcdserverpb.KV/DeleteRange": Rights,
  "/etcdserverpb.KV/Txn": Rights,
  "/etcdserverpb.KV/Compact": Rights,
  "/etcdserverpb.Watch/Watch": Own,
  "/etcdserverpb.Lease/LeaseGrant": User,
  "/etcdserverpb.Lease/LeaseRevoke": Rights,
  "/etcdserverpb.Lease/LeaseKeepAlive": Rights,
  "/etcdserverpb.Lease/LeaseTimeToLive": Rights,
  "/etcdserverpb.Lease/LeaseLeases": Rights,
  "/etcdserverpb.Cluster/MemberList": User,
  "/etcdserverpb.Cluster/MemberAdd": Admin,
  "/etcdserverpb.Cluster/MemberRemove": Admin,
  "/etcdserverpb.Cluster/MemberUpdate": Admin,
  "/etcdserverpb.Cluster/MemberPromote": Admin,
  "/etcdserverpb.Maintenance/Status": User,
  "/etcdserverpb.Maintenance/Alarm": Rights,
  "/etcdserverpb.Maintenance/Defragment": AdminHere,
  "/etcdserverpb.Maintenance/Hash": AdminHere,
  "/etcdserverpb.Maintenance/HashKV": AdminHere,
  "/etcdserverpb.Maintenance/Snapshot": AdminHere,
  "/etcdserverpb.Maintenance/MoveLeader": Admin,
  "/etcdserverpb.Maintenance/Downgrade": Admin,
  "/etcdserverpb.Auth/AuthEnable": Admin,
  "/etcdserverpb.Auth/AuthDisable": Admin,
  "/etcdserverpb.Auth/AuthStatus": Open,
  "/etcdserverpb.Auth/Authenticate": Open,
  "/etcdserverpb.Auth/UserAdd": Admin,
  "/etcdserverpb.Auth/UserGet": Rights,
  "/etcdserverpb.Auth/UserList": Admin,
  "/etcdserverpb.Auth/UserDelete": Admin,
  "/etcdserverpb.Auth/UserChangePassword": Admin,
  "/etcdserverpb.Auth/UserGrantRole": Admin,
  "/etcdserverpb.Auth/UserRevokeRole": Admin,
  "/etcdserverpb.Auth/RoleAdd": Admin,
  "/etcdserverpb.Auth/RoleGet": Rights,
  "/etcdserverpb.Auth/RoleList": Admin,
  "/etcdserverpb.Auth/RoleDelete": Admin,
  "/etcdserverpb.Auth/RoleGrantPermission": Admin,
  "/etcdserverpb.Auth/RoleRevokePermission": Admin,
  "/v3lockpb.Lock/Lock": Rights,
  "/v3lockpb.Lock/Unlock": Rights,
  "/v3electionpb.Election/Campaign": Rights,
  "/v3electionpb.Election/Proclaim": Rights,
  "/v3electionpb.Election/Leader": Rights,
  "/v3electionpb.Election/Observe": Rights,
  "/v3electionpb.Election/Resign": Rights,
  "/grpc.health.v1.Health/Check": Open,
  "/grpc.health.v1.Health/List": Open,
  "/grpc.health.v1.Health/Watch": Open,
  "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo": Open,
  "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo": Open,
  "/quorate.v1.Inspect/Status": User,
  "/quorate.v1.Inspect/Journal": User,
  "/quorate.v1.Members/List": User,
  "/quorate.v1.Members/Change": Admin,
};
