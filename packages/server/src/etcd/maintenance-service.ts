// Calls of etcd's Maintenance that need little: Hash, Defragment, MoveLeader. Status and HashKV are in
// services.ts, Alarm and Snapshot have services of their own.
import { create, toBinary } from "@bufbuild/protobuf";
import { GrpcCode } from "@quorate/grpc";
import type { GrpcSink } from "@quorate/grpc";
import { TransferResult } from "@quorate/host";
import type { HostApi } from "@quorate/host";
import { etcd } from "@quorate/proto";
import { kvErrorOf } from "./errors.ts";
import type { EtcdError } from "./errors.ts";
import { hexOf } from "./ids.ts";
import { decode, headerOf } from "./messages.ts";

const transferErrors: Record<Exclude<TransferResult, typeof TransferResult.Done>, EtcdError> = {
  [TransferResult.NotLeader]: {
    code: GrpcCode.FailedPrecondition,
    text: "etcdserver: not leader",
  },
  [TransferResult.BadTarget]: {
    code: GrpcCode.FailedPrecondition,
    text: "etcdserver: bad leader transferee",
  },
  [TransferResult.TimedOut]: {
    code: GrpcCode.Unavailable,
    text: "etcdserver: request timed out, leader transfer took too long",
  },
};

export class MaintenanceService {
  readonly #host: HostApi;

  constructor(host: HostApi) {
    this.#host = host;
  }

  /** etcd hashes its whole file, which no other member has; ours are equal where revisions are. */
  hash(sink: GrpcSink): void {
    this.#host.hashKv(0, (result) => {
      if (typeof result === "number") {
        const { code, text } = kvErrorOf(result);
        return sink.fail(code, text);
      }
      const header = headerOf(this.#host.status(), result.hashRevision);
      const response = create(etcd.HashResponseSchema, { header, hash: result.hash });
      sink.reply(toBinary(etcd.HashResponseSchema, response));
    });
  }

  /** There is nothing to do: rows that compaction has freed go by themselves, while the member serves. */
  defragment(sink: GrpcSink): void {
    sink.reply(toBinary(etcd.DefragmentResponseSchema, create(etcd.DefragmentResponseSchema)));
  }

  /** Of the leader alone, as etcd's; a header it has none. */
  moveLeader(message: Uint8Array, sink: GrpcSink): void {
    const request = decode(etcd.MoveLeaderRequestSchema, message, sink);
    if (request === null) return;
    this.#host.transferLeadership(hexOf(request.targetID), (result) => {
      if (result !== TransferResult.Done) {
        const { code, text } = transferErrors[result];
        return sink.fail(code, text);
      }
      sink.reply(toBinary(etcd.MoveLeaderResponseSchema, create(etcd.MoveLeaderResponseSchema)));
    });
  }
}
