// Every method that a member answers × {nobody, a wrong token, a user without rights, a user with rights,
// root}, by the table of rules (A4, CVE-2026-33413): a method without a row, or without a request here,
// fails. Method: real calls at a member with authentication on.
import { deepEqual, equal, ok } from "node:assert/strict";
import { test } from "node:test";
import { create, toBinary } from "@bufbuild/protobuf";
import type { DescMessage, MessageInitShape } from "@bufbuild/protobuf";
import { GrpcCode } from "@quorate/grpc";
import type { GrpcResult } from "@quorate/grpc";
import { auth, election, etcd, health, inspect, lock, members } from "@quorate/proto";
import { methods, Rule, rules } from "@quorate/server/internal";
import { AuthCalls, Right } from "./auth-calls.ts";
import type { Token } from "./auth-calls.ts";
import { withCluster } from "../../processes/cluster.ts";

const { Open, User, Rights, Admin, AdminHere } = Rule;

function bytesOf<Schema extends DescMessage>(
  schema: Schema,
  fields: MessageInitShape<Schema>,
): Uint8Array {
  return toBinary(schema, create(schema, fields));
}

const b = (text: string): Uint8Array => Buffer.from(text);

/** A request that "some", who may read and write k, may make where the rule names rights. */
interface Row {
  readonly path: string;
  readonly request: Uint8Array;
  /** Also who has no rights at all passes: it asks for nothing that takes any. */
  readonly needsNoRight?: boolean;
  /** Its rule names rights, and the right it takes is root's. */
  readonly needsRoot?: boolean;
}

const key = b("k");
const put = create(etcd.PutRequestSchema, { key, value: b("v") });
const putOp = create(etcd.RequestOpSchema, { request: { case: "requestPut", value: put } });

function rows(): Row[] {
  const A = "/etcdserverpb.Auth/";
  const KV = "/etcdserverpb.KV/";
  const C = "/etcdserverpb.Cluster/";
  const M = "/etcdserverpb.Maintenance/";
  const L = "/etcdserverpb.Lease/";
  const ID = 77n;
  return [
    { path: `${KV}Range`, request: bytesOf(etcd.RangeRequestSchema, { key }) },
    { path: `${KV}Range`, request: bytesOf(etcd.RangeRequestSchema, { key, serializable: true }) },
    { path: `${KV}Put`, request: bytesOf(etcd.PutRequestSchema, { key, value: b("v") }) },
    { path: `${KV}DeleteRange`, request: bytesOf(etcd.DeleteRangeRequestSchema, { key }) },
    { path: `${KV}Txn`, request: bytesOf(etcd.TxnRequestSchema, { success: [putOp] }) },
    {
      path: `${KV}Compact`,
      request: bytesOf(etcd.CompactionRequestSchema, { revision: 1_000_000n }),
      needsRoot: true,
    },
    { path: `${L}LeaseGrant`, request: bytesOf(etcd.LeaseGrantRequestSchema, { TTL: 100n, ID }) },
    { path: `${KV}Put`, request: bytesOf(etcd.PutRequestSchema, { key, lease: ID }) },
    {
      path: `${L}LeaseTimeToLive`,
      request: bytesOf(etcd.LeaseTimeToLiveRequestSchema, { ID, keys: true }),
    },
    {
      path: `${L}LeaseTimeToLive`,
      request: bytesOf(etcd.LeaseTimeToLiveRequestSchema, { ID }),
      needsNoRight: true,
    },
    { path: `${L}LeaseLeases`, request: bytesOf(etcd.LeaseLeasesRequestSchema, {}) },
    { path: `${L}LeaseKeepAlive`, request: bytesOf(etcd.LeaseKeepAliveRequestSchema, { ID }) },
    { path: `${L}LeaseRevoke`, request: bytesOf(etcd.LeaseRevokeRequestSchema, { ID }) },
    // The name's queue is below k, which nobody has rights to but root.
    {
      path: "/v3lockpb.Lock/Lock",
      request: bytesOf(lock.LockRequestSchema, { name: b("k") }),
      needsRoot: true,
    },
    { path: "/v3lockpb.Lock/Unlock", request: bytesOf(lock.UnlockRequestSchema, { key }) },
    {
      path: "/v3electionpb.Election/Campaign",
      request: bytesOf(election.CampaignRequestSchema, { name: b("e"), value: key }),
      needsRoot: true,
    },
    {
      path: "/v3electionpb.Election/Proclaim",
      request: bytesOf(election.ProclaimRequestSchema, { leader: { key, rev: 1n } }),
    },
    {
      path: "/v3electionpb.Election/Leader",
      request: bytesOf(election.LeaderRequestSchema, { name: b("e") }),
      needsRoot: true,
    },
    {
      path: "/v3electionpb.Election/Resign",
      request: bytesOf(election.ResignRequestSchema, { leader: { key, rev: 1n } }),
    },
    { path: `${C}MemberList`, request: bytesOf(etcd.MemberListRequestSchema, {}) },
    { path: `${C}MemberAdd`, request: bytesOf(etcd.MemberAddRequestSchema, { peerURLs: ["x"] }) },
    { path: `${C}MemberRemove`, request: bytesOf(etcd.MemberRemoveRequestSchema, { ID: 1n }) },
    {
      path: `${C}MemberUpdate`,
      request: bytesOf(etcd.MemberUpdateRequestSchema, { ID: 1n, peerURLs: ["http://a:1"] }),
    },
    { path: `${C}MemberPromote`, request: bytesOf(etcd.MemberPromoteRequestSchema, { ID: 1n }) },
    { path: `${M}Status`, request: bytesOf(etcd.StatusRequestSchema, {}) },
    { path: `${M}HashKV`, request: bytesOf(etcd.HashKVRequestSchema, {}) },
    { path: `${M}Hash`, request: bytesOf(etcd.HashRequestSchema, {}) },
    { path: `${M}Defragment`, request: bytesOf(etcd.DefragmentRequestSchema, {}) },
    { path: `${M}Snapshot`, request: bytesOf(etcd.SnapshotRequestSchema, {}) },
    { path: `${M}MoveLeader`, request: bytesOf(etcd.MoveLeaderRequestSchema, { targetID: 1n }) },
    {
      path: `${M}Downgrade`,
      request: bytesOf(etcd.DowngradeRequestSchema, {
        action: etcd.DowngradeRequest_DowngradeAction.CANCEL,
      }),
    },
    { path: `${M}Alarm`, request: bytesOf(etcd.AlarmRequestSchema, {}), needsNoRight: true },
    {
      path: `${M}Alarm`,
      request: bytesOf(etcd.AlarmRequestSchema, {
        action: etcd.AlarmRequest_AlarmAction.DEACTIVATE,
        memberID: 1n,
        alarm: etcd.AlarmType.NOSPACE,
      }),
      needsRoot: true,
    },
    { path: `${A}AuthEnable`, request: bytesOf(etcd.AuthEnableRequestSchema, {}) },
    { path: `${A}AuthStatus`, request: bytesOf(etcd.AuthStatusRequestSchema, {}) },
    {
      path: `${A}Authenticate`,
      request: bytesOf(etcd.AuthenticateRequestSchema, { name: "some", password: "some-pass" }),
    },
    {
      path: `${A}UserAdd`,
      request: bytesOf(etcd.AuthUserAddRequestSchema, { name: "some", password: "p" }),
    },
    {
      path: `${A}UserGet`,
      request: bytesOf(etcd.AuthUserGetRequestSchema, { name: "some" }),
    },
    {
      path: `${A}UserGet`,
      request: bytesOf(etcd.AuthUserGetRequestSchema, { name: "root" }),
      needsRoot: true,
    },
    { path: `${A}UserList`, request: bytesOf(etcd.AuthUserListRequestSchema, {}) },
    { path: `${A}UserDelete`, request: bytesOf(etcd.AuthUserDeleteRequestSchema, { name: "x" }) },
    {
      path: `${A}UserChangePassword`,
      request: bytesOf(etcd.AuthUserChangePasswordRequestSchema, { name: "x", password: "p" }),
    },
    {
      path: `${A}UserGrantRole`,
      request: bytesOf(etcd.AuthUserGrantRoleRequestSchema, { user: "none", role: "x" }),
    },
    {
      path: `${A}UserRevokeRole`,
      request: bytesOf(etcd.AuthUserRevokeRoleRequestSchema, { name: "none", role: "x" }),
    },
    { path: `${A}RoleAdd`, request: bytesOf(etcd.AuthRoleAddRequestSchema, { name: "r" }) },
    { path: `${A}RoleGet`, request: bytesOf(etcd.AuthRoleGetRequestSchema, { role: "r" }) },
    {
      path: `${A}RoleGet`,
      request: bytesOf(etcd.AuthRoleGetRequestSchema, { role: "root" }),
      needsRoot: true,
    },
    { path: `${A}RoleList`, request: bytesOf(etcd.AuthRoleListRequestSchema, {}) },
    { path: `${A}RoleDelete`, request: bytesOf(etcd.AuthRoleDeleteRequestSchema, { role: "x" }) },
    {
      path: `${A}RoleGrantPermission`,
      request: bytesOf(etcd.AuthRoleGrantPermissionRequestSchema, {
        name: "x",
        perm: create(auth.PermissionSchema, { key }),
      }),
    },
    {
      path: `${A}RoleRevokePermission`,
      request: bytesOf(etcd.AuthRoleRevokePermissionRequestSchema, { role: "x", key }),
    },
    {
      path: "/grpc.health.v1.Health/Check",
      request: bytesOf(health.HealthCheckRequestSchema, {}),
    },
    { path: "/quorate.v1.Inspect/Status", request: bytesOf(inspect.StatusRequestSchema, {}) },
    { path: "/quorate.v1.Inspect/Journal", request: bytesOf(inspect.JournalRequestSchema, {}) },
    { path: "/quorate.v1.Members/List", request: bytesOf(members.ListRequestSchema, {}) },
    { path: "/quorate.v1.Members/Change", request: bytesOf(members.ChangeRequestSchema, {}) },
    // The last: behind it everybody may do everything.
    { path: `${A}AuthDisable`, request: bytesOf(etcd.AuthDisableRequestSchema, {}) },
  ];
}

/** Streams without an end are asked for elsewhere; they are open to everybody, or refuse in their own form. */
const streams = [
  "/grpc.health.v1.Health/Watch",
  "/etcdserverpb.Watch/Watch",
  "/v3electionpb.Election/Observe",
  "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
  "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
];

const denials: ReadonlyMap<string, GrpcCode> = new Map([
  ["etcdserver: user name is empty", GrpcCode.InvalidArgument],
  ["etcdserver: invalid auth token", GrpcCode.Unauthenticated],
  ["etcdserver: permission denied", GrpcCode.PermissionDenied],
]);

/** "passed", whatever else the call comes to; or etcd's words for being refused. */
function verdictOf({ code, text }: GrpcResult): string {
  const wanted = denials.get(text);
  if (wanted === undefined) {
    ok(code !== GrpcCode.PermissionDenied && code !== GrpcCode.Unauthenticated, text);
    return "passed";
  }
  equal(code, wanted, text);
  return text.replace("etcdserver: ", "");
}

function expected({ path, needsNoRight, needsRoot }: Row): Record<string, string> {
  const rule = rules[path];
  const denied = "permission denied";
  const passed = "passed";
  const isOpen = rule === Open;
  const all = { nobody: "user name is empty", wrong: "invalid auth token", root: passed };
  if (isOpen) return { nobody: passed, wrong: passed, none: passed, some: passed, root: passed };
  if (rule === User) return { ...all, none: passed, some: passed };
  if (rule === Admin || rule === AdminHere) return { ...all, none: denied, some: denied };
  equal(rule, Rights, path);
  const none = needsNoRight === true ? passed : denied;
  return { ...all, none, some: needsRoot === true ? denied : passed };
}

test("each method lets in whom its rule names, and nobody else", async () => {
  await withCluster({ size: 1, flags: ["--bcrypt-cost=4"] }, async (cluster) => {
    const [member] = cluster.members;
    const calls = new AuthCalls(member!.client);
    await calls.addRole("r");
    await calls.grant("r", Right.Both, "k");
    await calls.addUser("none", "none-pass");
    await calls.addUser("some", "some-pass", "r");
    const root = await calls.enable("root-pass");
    const tokens: Record<string, Token> = {
      nobody: null,
      wrong: "0123456789abcdef0123456789abcdef",
      none: await calls.login("none", "none-pass"),
      some: await calls.login("some", "some-pass"),
      root,
    };
    const all = rows();
    const asked = new Set([...all.map(({ path }) => path), ...streams]);
    deepEqual(
      [...methods.keys()].filter((path) => !asked.has(path)),
      [],
      "a method without a request",
    );
    for (const row of all) {
      const wanted = expected(row);
      for (const [who, token] of Object.entries(tokens)) {
        const result = await calls.call(row.path, row.request, token);
        equal(verdictOf(result), wanted[who], `${row.path} by ${who}: ${result.text}`);
      }
    }
    // Authentication is off, and what somebody still brings along does not matter.
    for (const token of Object.values(tokens)) {
      const { code } = await calls.call(all[0]!.path, all[0]!.request, token);
      equal(code, GrpcCode.Ok);
    }
  });
});
