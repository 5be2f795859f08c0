// etcd's services that this member answers: the method table and what each call does. KV goes to the
// host as the client's own bytes; the rest are small decoded messages.
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { GrpcCode } from "@quorate/grpc";
import type { GrpcHandler, GrpcSink } from "@quorate/grpc";
import { Phase, rangeRequest } from "@quorate/host";
import type { HostApi, HostStatus, MemberStatus, ReplySink, RequestKind } from "@quorate/host";
import { decodeRangeRequest, OperationKind } from "@quorate/kv";
import { etcd, health } from "@quorate/proto";
import { databaseBytes, databaseBytesInUse } from "./database-size.ts";
import { errorOf, kvErrorOf, trailersOf } from "./errors.ts";
import type { ServiceFacts } from "./facts.ts";
import { journalResponse, statusResponse } from "./inspect.ts";

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
} as const;
type Method = (typeof Method)[keyof typeof Method];

export const methods: ReadonlyMap<string, number> = new Map([
  ["/etcdserverpb.KV/Range", Method.Range],
  ["/etcdserverpb.KV/Put", Method.Put],
  ["/etcdserverpb.KV/DeleteRange", Method.DeleteRange],
  ["/etcdserverpb.KV/Txn", Method.Txn],
  ["/etcdserverpb.KV/Compact", Method.Compact],
  ["/etcdserverpb.Cluster/MemberList", Method.MemberList],
  ["/etcdserverpb.Maintenance/Status", Method.Status],
  ["/etcdserverpb.Maintenance/HashKV", Method.HashKv],
  ["/grpc.health.v1.Health/Check", Method.HealthCheck],
  ["/grpc.health.v1.Health/Watch", Method.HealthWatch],
  ["/quorate.v1.Inspect/Status", Method.InspectStatus],
  ["/quorate.v1.Inspect/Journal", Method.InspectJournal],
]);

/** For grpc_server_handled_total: service and method of a number. */
export const methodNames: ReadonlyMap<number, { service: string; method: string }> = new Map(
  [...methods].map(([path, number]) => {
    const [service = "", method = ""] = path.slice(1).split("/");
    return [number, { service, method }];
  }),
);

export class Services implements GrpcHandler {
  readonly #host: HostApi;
  readonly #facts: ServiceFacts;
  readonly #healthWatchers: Set<GrpcSink>;
  #served: boolean;

  constructor(host: HostApi, facts: ServiceFacts) {
    this.#host = host;
    this.#facts = facts;
    this.#healthWatchers = new Set();
    this.#served = false;
  }

  onMessage(method: number, message: Uint8Array, sink: GrpcSink): void {
    switch (method as Method) {
      case Method.Range:
        return this.#keyValue(rangeRequest, message, rangeSerializable(message), sink);
      case Method.Put:
        return this.#keyValue(OperationKind.Put, message, false, sink);
      case Method.DeleteRange:
        return this.#keyValue(OperationKind.DeleteRange, message, false, sink);
      case Method.Txn:
        return this.#keyValue(OperationKind.Txn, message, false, sink);
      case Method.Compact:
        return this.#keyValue(OperationKind.Compact, message, false, sink);
      case Method.MemberList:
        return this.#memberList(message, sink);
      case Method.Status:
        return this.#status(sink);
      case Method.HashKv:
        return this.#hashKv(message, sink);
      case Method.HealthCheck:
        return this.#healthCheck(message, sink);
      case Method.HealthWatch:
        return this.#healthWatch(sink);
      case Method.InspectStatus:
        return sink.reply(statusResponse(this.#host.status(), this.#facts));
      case Method.InspectJournal:
        return sink.reply(journalResponse(this.#host.journal()));
      default:
        return sink.fail(GrpcCode.Unimplemented, "unknown method");
    }
  }

  /** Tells health watchers when serving begins or ends; once a second. */
  tick(): void {
    const serving = this.#serving();
    if (serving !== this.#served) {
      this.#served = serving;
      for (const sink of this.#healthWatchers) {
        sink.write(healthReply(serving));
      }
    }
  }

  #keyValue(kind: RequestKind, message: Uint8Array, serializable: boolean, sink: GrpcSink): void {
    this.#host.request(kind, message, serializable, sinkOf(sink));
  }

  /** 3.5 and later ask for a linearizable list; 3.4's requests carry no such field. */
  #memberList(message: Uint8Array, sink: GrpcSink): void {
    const request = decode(etcd.MemberListRequestSchema, message, sink);
    if (request === null) {
      return;
    }
    const answer = (): void => {
      const status = this.#host.status();
      const response = create(etcd.MemberListResponseSchema, {
        header: headerOf(status, 0),
        members: status.members.map(memberOf),
      });
      sink.reply(toBinary(etcd.MemberListResponseSchema, response));
    };
    if (request.linearizable) {
      this.#host.readBarrier({ ...sinkOf(sink), reply: answer });
    } else {
      answer();
    }
  }

  #status(sink: GrpcSink): void {
    const status = this.#host.status();
    const errors = status.leaderMemberId === "" ? ["etcdserver: no leader"] : [];
    if (status.reason !== "") {
      errors.push(status.reason);
    }
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

  #healthWatch(sink: GrpcSink): void {
    this.#healthWatchers.add(sink);
    sink.onCancel = () => this.#healthWatchers.delete(sink);
    sink.write(healthReply(this.#serving()));
  }

  #serving(): boolean {
    const status = this.#host.status();
    return status.phase === Phase.Running && status.leaderMemberId !== "";
  }
}

/** A decoded message, or null after the call has been failed. */
function decode<Schema extends Parameters<typeof fromBinary>[0]>(
  schema: Schema,
  message: Uint8Array,
  sink: GrpcSink,
): ReturnType<typeof fromBinary<Schema>> | null {
  try {
    return fromBinary(schema, message);
  } catch {
    sink.fail(GrpcCode.Internal, "grpc: failed to unmarshal the received message");
    return null;
  }
}

function sinkOf(sink: GrpcSink): ReplySink {
  return {
    reply: (bytes) => sink.reply(bytes),
    fail: (failure) => {
      const { code, text } = errorOf(failure);
      sink.fail(code, text, trailersOf(failure));
    },
  };
}

function headerOf(status: HostStatus, revision: number): etcd.ResponseHeader {
  return create(etcd.ResponseHeaderSchema, {
    clusterId: BigInt(`0x${status.clusterId}`),
    memberId: BigInt(`0x${status.memberId}`),
    revision: BigInt(revision),
    raftTerm: BigInt(status.term),
  });
}

function memberOf(member: MemberStatus): etcd.Member {
  return create(etcd.MemberSchema, {
    ID: BigInt(`0x${member.memberId}`),
    name: member.name,
    peerURLs: [...member.peerUrls],
    clientURLs: [...member.clientUrls],
    isLearner: member.isLearner,
  });
}

function healthReply(serving: boolean): Uint8Array {
  const { SERVING, NOT_SERVING } = health.HealthCheckResponse_ServingStatus;
  const status = serving ? SERVING : NOT_SERVING;
  const response = create(health.HealthCheckResponseSchema, { status });
  return toBinary(health.HealthCheckResponseSchema, response);
}

/** Field 7 of a RangeRequest; malformed bytes are the host's to refuse. */
function rangeSerializable(message: Uint8Array): boolean {
  return decodeRangeRequest(message)?.serializable ?? false;
}
