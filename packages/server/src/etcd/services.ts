// etcd's services that this member answers: the method table and what each call does. KV goes to the
// host as the client's own bytes; the rest are small decoded messages.
import { create, toBinary } from "@bufbuild/protobuf";
import { GrpcCode } from "@quorate/grpc";
import type { GrpcHandler, GrpcSink, ReplyBytes } from "@quorate/grpc";
import { Phase, rangeRequest } from "@quorate/host";
import type { HostApi, RequestKind } from "@quorate/host";
import { decodeRangeRequest, nobody, OperationKind } from "@quorate/kv";
import type { Identity } from "@quorate/kv";
import { etcd, health } from "@quorate/proto";
import { Access } from "../auth/access.ts";
import type { Credentials } from "../auth/credentials.ts";
import { rules } from "../auth/rules.ts";
import { AlarmService, alarmText } from "./alarm-service.ts";
import { AuthService } from "./auth-service.ts";
import type { AuthServiceParts } from "./auth-service.ts";
import { ClusterService } from "./cluster-service.ts";
import { databaseBytes, databaseBytesInUse } from "./database-size.ts";
import { DowngradeService } from "./downgrade-service.ts";
import { kvErrorOf, learnerError } from "./errors.ts";
import type { ServiceFacts } from "./facts.ts";
import { journalResponse, statusResponse } from "./inspect.ts";
import { MaintenanceService } from "./maintenance-service.ts";
import { ElectionService } from "./lock/election-service.ts";
import { LockService } from "./lock/lock-service.ts";
import { LeaderRequired } from "./leader-required.ts";
import { LeaseService } from "./lease-service.ts";
import { MembersService } from "./members-service.ts";
import { decode, headerOf, sinkOf } from "./messages.ts";
import { ReflectionService } from "./reflection/reflection-service.ts";
import { WatchService } from "./watch-service.ts";
import { SnapshotService } from "./snapshot-service.ts";

const Method = {
  Range: 1,
  Put: 2,
  DeleteRange: 3,
  Txn: 4,
  Compact: 5,
  MemberList: 6,
  Status: 7,
  HashKv: 8,
  HealthCheck: 9,
  HealthWatch: 10,
  InspectStatus: 11,
  InspectJournal: 12,
  MemberAdd: 13,
  MemberRemove: 14,
  MemberUpdate: 15,
  MemberPromote: 16,
  MembersList: 17,
  MembersChange: 18,
  Alarm: 19,
  Watch: 20,
  Lock: 70,
  Unlock: 71,
  Campaign: 72,
  Proclaim: 73,
  Leader: 74,
  Observe: 75,
  Resign: 76,
  AuthEnable: 40,
  AuthDisable: 41,
  AuthStatus: 42,
  Authenticate: 43,
  UserAdd: 44,
  UserGet: 45,
  UserList: 46,
  UserDelete: 47,
  UserChangePassword: 48,
  UserGrantRole: 49,
  UserRevokeRole: 50,
  RoleAdd: 51,
  RoleGet: 52,
  RoleList: 53,
  RoleDelete: 54,
  RoleGrantPermission: 55,
  RoleRevokePermission: 56,
  Defragment: 60,
  Hash: 61,
  Snapshot: 62,
  MoveLeader: 63,
  Downgrade: 64,
  Reflection: 80,
  ReflectionAlpha: 81,
  LeaseGrant: 30,
  LeaseRevoke: 31,
  LeaseKeepAlive: 32,
  LeaseTimeToLive: 33,
  LeaseLeases: 34,
} as const;
type Method = (typeof Method)[keyof typeof Method];

export const methods: ReadonlyMap<string, number> = new Map([
  ["/etcdserverpb.KV/Range", Method.Range],
  ["/etcdserverpb.KV/Put", Method.Put],
  ["/etcdserverpb.KV/DeleteRange", Method.DeleteRange],
  ["/etcdserverpb.KV/Txn", Method.Txn],
  ["/etcdserverpb.KV/Compact", Method.Compact],
  ["/etcdserverpb.Watch/Watch", Method.Watch],
  ["/etcdserverpb.Cluster/MemberList", Method.MemberList],
  ["/etcdserverpb.Cluster/MemberAdd", Method.MemberAdd],
  ["/etcdserverpb.Cluster/MemberRemove", Method.MemberRemove],
  ["/etcdserverpb.Cluster/MemberUpdate", Method.MemberUpdate],
  ["/etcdserverpb.Cluster/MemberPromote", Method.MemberPromote],
  ["/etcdserverpb.Maintenance/Status", Method.Status],
  ["/etcdserverpb.Maintenance/HashKV", Method.HashKv],
  ["/etcdserverpb.Maintenance/Alarm", Method.Alarm],
  ["/etcdserverpb.Auth/AuthEnable", Method.AuthEnable],
  ["/etcdserverpb.Auth/AuthDisable", Method.AuthDisable],
  ["/etcdserverpb.Auth/AuthStatus", Method.AuthStatus],
  ["/etcdserverpb.Auth/Authenticate", Method.Authenticate],
  ["/etcdserverpb.Auth/UserAdd", Method.UserAdd],
  ["/etcdserverpb.Auth/UserGet", Method.UserGet],
  ["/etcdserverpb.Auth/UserList", Method.UserList],
  ["/etcdserverpb.Auth/UserDelete", Method.UserDelete],
  ["/etcdserverpb.Auth/UserChangePassword", Method.UserChangePassword],
  ["/etcdserverpb.Auth/UserGrantRole", Method.UserGrantRole],
  ["/etcdserverpb.Auth/UserRevokeRole", Method.UserRevokeRole],
  ["/etcdserverpb.Auth/RoleAdd", Method.RoleAdd],
  ["/etcdserverpb.Auth/RoleGet", Method.RoleGet],
  ["/etcdserverpb.Auth/RoleList", Method.RoleList],
  ["/etcdserverpb.Auth/RoleDelete", Method.RoleDelete],
  ["/etcdserverpb.Auth/RoleGrantPermission", Method.RoleGrantPermission],
  ["/etcdserverpb.Auth/RoleRevokePermission", Method.RoleRevokePermission],
  ["/etcdserverpb.Maintenance/Defragment", Method.Defragment],
  ["/etcdserverpb.Maintenance/Hash", Method.Hash],
  ["/etcdserverpb.Maintenance/Snapshot", Method.Snapshot],
  ["/etcdserverpb.Maintenance/MoveLeader", Method.MoveLeader],
  ["/etcdserverpb.Maintenance/Downgrade", Method.Downgrade],
  ["/etcdserverpb.Lease/LeaseGrant", Method.LeaseGrant],
  ["/etcdserverpb.Lease/LeaseRevoke", Method.LeaseRevoke],
  ["/etcdserverpb.Lease/LeaseKeepAlive", Method.LeaseKeepAlive],
  ["/etcdserverpb.Lease/LeaseTimeToLive", Method.LeaseTimeToLive],
  ["/etcdserverpb.Lease/LeaseLeases", Method.LeaseLeases],
  ["/v3lockpb.Lock/Lock", Method.Lock],
  ["/v3lockpb.Lock/Unlock", Method.Unlock],
  ["/v3electionpb.Election/Campaign", Method.Campaign],
  ["/v3electionpb.Election/Proclaim", Method.Proclaim],
  ["/v3electionpb.Election/Leader", Method.Leader],
  ["/v3electionpb.Election/Observe", Method.Observe],
  ["/v3electionpb.Election/Resign", Method.Resign],
  ["/grpc.health.v1.Health/Check", Method.HealthCheck],
  ["/grpc.health.v1.Health/Watch", Method.HealthWatch],
  ["/grpc.reflection.v1.ServerReflection/ServerReflectionInfo", Method.Reflection],
  ["/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo", Method.ReflectionAlpha],
  ["/quorate.v1.Inspect/Status", Method.InspectStatus],
  ["/quorate.v1.Inspect/Journal", Method.InspectJournal],
  ["/quorate.v1.Members/List", Method.MembersList],
  ["/quorate.v1.Members/Change", Method.MembersChange],
]);

/** For grpc_server_handled_total: service and method of a number. */
export const methodNames: ReadonlyMap<number, { service: string; method: string }> = new Map(
  [...methods].map(([path, number]) => {
    const [service = "", method = ""] = path.slice(1).split("/");
    return [number, { service, method }];
  }),
);

/** What a member answers that does not vote (etcd-api.md M1), beside serializable reads of a range. */
const forLearners: ReadonlySet<number> = new Set([
  Method.Status,
  Method.Snapshot,
  Method.HealthCheck,
  Method.HealthWatch,
  Method.Reflection,
  Method.ReflectionAlpha,
  Method.InspectStatus,
  Method.InspectJournal,
  Method.MembersList,
]);

/** What finds out who calls. */
export interface AuthParts extends Omit<AuthServiceParts, "host" | "facts"> {
  readonly credentials: Credentials;
}

export class Services implements GrpcHandler {
  readonly #host: HostApi;
  readonly #replyBytes: Pick<ReplyBytes, "full">;
  readonly #access: Access;
  readonly #auth: AuthService;
  readonly #alarms: AlarmService;
  readonly #cluster: ClusterService;
  readonly #required: LeaderRequired;
  readonly #leases: LeaseService;
  readonly #locks: LockService;
  readonly #elections: ElectionService;
  readonly #members: MembersService;
  readonly #watches: WatchService;
  readonly #maintenance: MaintenanceService;
  readonly #snapshots: SnapshotService;
  readonly #downgrades: DowngradeService;
  readonly #reflection: ReflectionService;
  readonly #facts: ServiceFacts;
  readonly #healthWatchers: Set<GrpcSink>;
  #served: health.HealthCheckResponse_ServingStatus;

  /** `replyBytes`: of all answers that clients have not taken. */
  constructor(
    host: HostApi,
    facts: ServiceFacts,
    auth: AuthParts,
    replyBytes: Pick<ReplyBytes, "full">,
  ) {
    this.#host = host;
    this.#replyBytes = replyBytes;
    this.#access = new Access(host.auth, auth.credentials, methods, rules);
    this.#auth = new AuthService({ host, facts, ...auth });
    this.#alarms = new AlarmService(host, facts);
    this.#cluster = new ClusterService(host);
    this.#required = new LeaderRequired(host, facts.electionTimeoutMs);
    this.#leases = new LeaseService(host, this.#required);
    this.#locks = new LockService(host);
    this.#elections = new ElectionService(host);
    this.#members = new MembersService(host);
    this.#watches = new WatchService(host, this.#access);
    this.#maintenance = new MaintenanceService(host);
    this.#snapshots = new SnapshotService(host, facts.snapshotBytesPerSecond);
    this.#downgrades = new DowngradeService(host, facts);
    this.#reflection = new ReflectionService();
    this.#facts = facts;
    this.#healthWatchers = new Set();
    this.#served = NOT_SERVING;
  }

  onMessage(method: number, message: Uint8Array, sink: GrpcSink): void {
    if (this.#host.isLearner() && !forLearners.has(method)) {
      const serializable = method === Method.Range && rangeSerializable(message);
      if (!serializable) return sink.fail(learnerError.code, learnerError.text);
    }
    if (this.#access.isOpen(method, sink)) return this.#handle(method, message, sink, nobody);
    this.#access.admit(method, sink, (identity) => this.#handle(method, message, sink, identity));
  }

  #handle(method: number, message: Uint8Array, sink: GrpcSink, identity: Identity): void {
    switch (method as Method) {
      case Method.Range:
        return this.#keyValue(rangeRequest, message, sink, identity);
      case Method.Put:
        return this.#keyValue(OperationKind.Put, message, sink, identity);
      case Method.DeleteRange:
        return this.#keyValue(OperationKind.DeleteRange, message, sink, identity);
      case Method.Txn:
        return this.#keyValue(OperationKind.Txn, message, sink, identity);
      case Method.Compact:
        return this.#keyValue(OperationKind.Compact, message, sink, identity);
      case Method.Watch:
        return this.#watches.message(message, sink);
      case Method.MemberList:
        return this.#cluster.memberList(message, sink);
      case Method.MemberAdd:
        return this.#cluster.memberAdd(message, sink);
      case Method.MemberRemove:
        return this.#cluster.memberRemove(message, sink);
      case Method.MemberUpdate:
        return this.#cluster.memberUpdate(message, sink);
      case Method.MemberPromote:
        return this.#cluster.memberPromote(message, sink);
      case Method.Status:
        return this.#status(message, sink);
      case Method.HashKv:
        return this.#hashKv(message, sink);
      case Method.Alarm:
        return this.#alarms.alarm(message, sink, identity);
      case Method.Defragment:
        return bare(message, sink, () => this.#maintenance.defragment(sink));
      case Method.Hash:
        return bare(message, sink, () => this.#maintenance.hash(sink));
      case Method.Snapshot:
        return bare(message, sink, () => this.#snapshots.snapshot(sink));
      case Method.MoveLeader:
        return this.#maintenance.moveLeader(message, sink);
      case Method.Downgrade:
        return this.#downgrades.downgrade(message, sink, identity);
      case Method.LeaseGrant:
        return this.#leases.grant(message, sink, identity);
      case Method.LeaseRevoke:
        return this.#leases.revoke(message, sink, identity);
      case Method.LeaseKeepAlive:
        return this.#leases.keepAlive(message, sink, identity);
      case Method.LeaseTimeToLive:
        return this.#leases.timeToLive(message, sink, identity);
      case Method.LeaseLeases:
        return this.#leases.list(message, sink, identity);
      case Method.HealthCheck:
        return this.#healthCheck(message, sink);
      case Method.HealthWatch:
        return this.#healthWatch(message, sink);
      case Method.Reflection:
      case Method.ReflectionAlpha:
        return this.#reflection.message(message, sink);
      case Method.InspectStatus:
        return sink.reply(statusResponse(this.#host.status(), this.#facts));
      case Method.InspectJournal:
        return sink.reply(journalResponse(this.#host.journal()));
      case Method.MembersList:
        return this.#members.list(message, sink);
      case Method.MembersChange:
        return this.#members.change(message, sink);
      default:
        return this.#handleQueues(method, message, sink, identity);
    }
  }

  #handleQueues(method: number, message: Uint8Array, sink: GrpcSink, identity: Identity): void {
    switch (method as Method) {
      case Method.Lock:
        return this.#locks.lock(message, sink, identity);
      case Method.Unlock:
        return this.#locks.unlock(message, sink, identity);
      case Method.Campaign:
        return this.#elections.campaign(message, sink, identity);
      case Method.Proclaim:
        return this.#elections.proclaim(message, sink, identity);
      case Method.Leader:
        return this.#elections.leader(message, sink, identity);
      case Method.Observe:
        return this.#elections.observe(message, sink, identity);
      case Method.Resign:
        return this.#elections.resign(message, sink, identity);
      default:
        return this.#handleAuth(method, message, sink, identity);
    }
  }

  #handleAuth(method: number, message: Uint8Array, sink: GrpcSink, identity: Identity): void {
    switch (method as Method) {
      case Method.AuthEnable:
        return bare(message, sink, () => this.#auth.enable(sink, identity));
      case Method.AuthDisable:
        return bare(message, sink, () => this.#auth.disable(sink, identity));
      case Method.AuthStatus:
        return bare(message, sink, () => this.#auth.status(sink));
      case Method.Authenticate:
        return this.#auth.authenticate(message, sink);
      case Method.UserAdd:
        return this.#auth.userAdd(message, sink, identity);
      case Method.UserGet:
        return this.#auth.userGet(message, sink, identity);
      case Method.UserList:
        return bare(message, sink, () => this.#auth.userList(sink, identity));
      case Method.UserDelete:
        return this.#auth.userDelete(message, sink, identity);
      case Method.UserChangePassword:
        return this.#auth.userChangePassword(message, sink, identity);
      case Method.UserGrantRole:
        return this.#auth.userGrantRole(message, sink, identity);
      case Method.UserRevokeRole:
        return this.#auth.userRevokeRole(message, sink, identity);
      case Method.RoleAdd:
        return this.#auth.roleAdd(message, sink, identity);
      case Method.RoleGet:
        return this.#auth.roleGet(message, sink, identity);
      case Method.RoleList:
        return bare(message, sink, () => this.#auth.roleList(sink, identity));
      case Method.RoleDelete:
        return this.#auth.roleDelete(message, sink, identity);
      case Method.RoleGrantPermission:
        return this.#auth.roleGrantPermission(message, sink, identity);
      case Method.RoleRevokePermission:
        return this.#auth.roleRevokePermission(message, sink, identity);
      default:
        return sink.fail(GrpcCode.Unimplemented, "unknown method");
    }
  }

  /** Tells health watchers when serving begins or ends, and who waits for a leader; once a second. */
  tick(): void {
    this.#required.tick();
    const serving = this.#serving();
    if (serving !== this.#served) {
      this.#served = serving;
      for (const sink of this.#healthWatchers) {
        sink.write(healthReply(serving));
      }
    }
  }

  #keyValue(kind: RequestKind, message: Uint8Array, sink: GrpcSink, identity: Identity): void {
    const serializable = kind === rangeRequest && rangeSerializable(message);
    const answering = sinkOf(sink, this.#replyBytes);
    this.#host.request(kind, message, serializable, answering, identity);
  }

  #status(message: Uint8Array, sink: GrpcSink): void {
    if (decode(etcd.StatusRequestSchema, message, sink) === null) {
      return;
    }
    const status = this.#host.status();
    const errors = status.leaderMemberId === "" ? ["etcdserver: no leader"] : [];
    if (status.reason !== "") {
      errors.push(status.reason);
    }
    errors.push(...status.alarms.map(alarmText));
    const response = create(etcd.StatusResponseSchema, {
      header: headerOf(status, status.revision),
      version: this.#facts.etcdVersion,
      dbSize: BigInt(databaseBytes(status)),
      leader: BigInt(`0x${status.leaderMemberId || "0"}`),
      raftIndex: BigInt(status.committed),
      raftTerm: BigInt(status.term),
      raftAppliedIndex: BigInt(status.applied),
      errors,
      dbSizeInUse: BigInt(databaseBytesInUse(status)),
      isLearner: status.members.some((m) => m.memberId === status.memberId && m.isLearner),
      ...this.#downgrades.statusInfo(status),
    });
    sink.reply(toBinary(etcd.StatusResponseSchema, response));
  }

  #hashKv(message: Uint8Array, sink: GrpcSink): void {
    const request = decode(etcd.HashKVRequestSchema, message, sink);
    if (request === null) {
      return;
    }
    this.#host.hashKv(Number(request.revision), (result) => {
      if (typeof result === "number") {
        const { code, text } = kvErrorOf(result);
        sink.fail(code, text);
        return;
      }
      const status = this.#host.status();
      const response = create(etcd.HashKVResponseSchema, {
        header: headerOf(status, status.revision),
        hash: result.hash,
        compactRevision: BigInt(result.compactRevision),
        hashRevision: BigInt(result.hashRevision),
      });
      sink.reply(toBinary(etcd.HashKVResponseSchema, response));
    });
  }

  #healthCheck(message: Uint8Array, sink: GrpcSink): void {
    const request = decode(health.HealthCheckRequestSchema, message, sink);
    if (request === null) {
      return;
    }
    if (request.service !== "") {
      sink.fail(GrpcCode.NotFound, "unknown service");
      return;
    }
    sink.reply(healthReply(this.#serving()));
  }

  #healthWatch(message: Uint8Array, sink: GrpcSink): void {
    const request = decode(health.HealthCheckRequestSchema, message, sink);
    if (request === null) return;
    // The stream of a service that there is not stays open, as it does in etcd.
    if (request.service !== "") {
      sink.write(healthReply(SERVICE_UNKNOWN));
      return;
    }
    this.#healthWatchers.add(sink);
    sink.onCancel = () => this.#healthWatchers.delete(sink);
    sink.write(healthReply(this.#serving()));
  }

  #serving(): health.HealthCheckResponse_ServingStatus {
    const status = this.#host.status();
    const serves = status.phase === Phase.Running && status.leaderMemberId !== "";
    return serves ? SERVING : NOT_SERVING;
  }
}

const { SERVING, NOT_SERVING, SERVICE_UNKNOWN } = health.HealthCheckResponse_ServingStatus;

/** A request without fields: what is no message is refused all the same. */
function bare(message: Uint8Array, sink: GrpcSink, then: () => void): void {
  if (decode(etcd.DefragmentRequestSchema, message, sink) !== null) then();
}

function healthReply(status: health.HealthCheckResponse_ServingStatus): Uint8Array {
  const response = create(health.HealthCheckResponseSchema, { status });
  return toBinary(health.HealthCheckResponseSchema, response);
}

/** Field 7 of a RangeRequest; malformed bytes are the host's to refuse. */
function rangeSerializable(message: Uint8Array): boolean {
  return decodeRangeRequest(message)?.serializable ?? false;
}
