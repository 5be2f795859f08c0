// A unary call that may wait for long: an async body, its answer or its failure in etcd's words, and a
// signal that its caller has gone.
import { GrpcCode } from "@quorate/grpc";
import type { GrpcSink } from "@quorate/grpc";
import type { Failure } from "@quorate/host";
import { KvError } from "@quorate/kv";
import { errorOf } from "../errors.ts";
import { sinkOf } from "../messages.ts";
import { CallerGone, CallFailed } from "./key-calls.ts";

/** Refused with a text of etcd's that has no code of its own there. */
export class Refused extends Error {}

export function runCall(sink: GrpcSink, body: (gone: AbortSignal) => Promise<void>): void {
  const caller = new AbortController();
  sink.onCancel = () => caller.abort();
  body(caller.signal).catch((error: unknown) => {
    if (error instanceof CallerGone) return;
    if (error instanceof CallFailed) failAsEtcd(sink, error.failure);
    else if (error instanceof Refused) sink.fail(GrpcCode.Unknown, error.message);
    else throw error;
  });
}

/** An unknown lease loses its code on the way through etcd's own client there. */
function failAsEtcd(sink: GrpcSink, failure: Failure): void {
  if (failure.kvError !== KvError.LeaseNotFound) return sinkOf(sink).fail(failure);
  sink.fail(GrpcCode.Unknown, errorOf(failure).text);
}
