// Between etcd's messages and the host: decoding, headers, and sinks that fail with etcd's words.
import { create, fromBinary } from "@bufbuild/protobuf";
import { GrpcCode } from "@quorate/grpc";
import type { GrpcSink, ReplyBytes } from "@quorate/grpc";
import type { HostStatus, ReplySink } from "@quorate/host";
import { etcd } from "@quorate/proto";
import { errorOf, trailersOf } from "./errors.ts";
import { isWellFormed } from "./well-formed.ts";

const noAnswers = { full: false };

/** A decoded message, or null after the call has been failed. */
export function decode<Schema extends Parameters<typeof fromBinary>[0]>(
  schema: Schema,
  message: Uint8Array,
  sink: GrpcSink,
): ReturnType<typeof fromBinary<Schema>> | null {
  if (isWellFormed(schema, message)) {
    try {
      return fromBinary(schema, message);
    } catch {
      // a string that is not UTF-8
    }
  }
  sink.fail(GrpcCode.Internal, "grpc: failed to unmarshal the received message");
  return null;
}

/** `answers`: those that clients have not taken. */
export function sinkOf(sink: GrpcSink, answers: Pick<ReplyBytes, "full"> = noAnswers): ReplySink {
  return {
    get full() {
      return answers.full;
    },
    reply: (bytes) => sink.reply(bytes),
    fail: (failure) => {
      const { code, text } = errorOf(failure);
      sink.fail(code, text, trailersOf(failure));
    },
  };
}

export function headerOf(status: HostStatus, revision: number): etcd.ResponseHeader {
  return create(etcd.ResponseHeaderSchema, {
    clusterId: BigInt(`0x${status.clusterId}`),
    memberId: BigInt(`0x${status.memberId}`),
    revision: BigInt(revision),
    raftTerm: BigInt(status.term),
  });
}
