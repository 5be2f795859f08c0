// etcd's Lease calls. Requests are read and answers written by kv's own codec; the host does the rest.
import { GrpcCode } from "@quorate/grpc";
import type { GrpcSink } from "@quorate/grpc";
import type { Failure, HostApi } from "@quorate/host";
import {
  decodeLeaseGrantRequest,
  decodeLeaseIdRequest,
  decodeLeaseTimeToLiveRequest,
  isLeaseLeasesRequest,
  KvError,
} from "@quorate/kv";
import type { Identity } from "@quorate/kv";
import { kvErrorOf } from "./errors.ts";
import type { LeaderRequired } from "./leader-required.ts";
import { sinkOf } from "./messages.ts";

/** Answers that a client lets lie before its stream is ended. */
const unreadMax = 10_000;

export class LeaseService {
  readonly #host: HostApi;
  readonly #required: LeaderRequired;
  readonly #streams: WeakMap<GrpcSink, KeepAliveStream>;

  constructor(host: HostApi, required: LeaderRequired) {
    this.#host = host;
    this.#required = required;
    this.#streams = new WeakMap();
  }

  grant(message: Uint8Array, sink: GrpcSink, identity: Identity): void {
    const request = decodeLeaseGrantRequest(message);
    if (request === null) return malformed(sink);
    this.#host.leases.grant(request, sinkOf(sink), identity);
  }

  revoke(message: Uint8Array, sink: GrpcSink, identity: Identity): void {
    const id = decodeLeaseIdRequest(message);
    if (id === null) return malformed(sink);
    this.#host.leases.revoke(id, sinkOf(sink), identity);
  }

  timeToLive(message: Uint8Array, sink: GrpcSink, identity: Identity): void {
    const request = decodeLeaseTimeToLiveRequest(message);
    if (request === null) return malformed(sink);
    this.#host.leases.timeToLive(request, sinkOf(sink), identity);
  }

  list(message: Uint8Array, sink: GrpcSink, identity: Identity): void {
    if (!isLeaseLeasesRequest(message)) return malformed(sink);
    this.#host.leases.list(sinkOf(sink), identity);
  }

  /** One message of a stream. */
  keepAlive(message: Uint8Array, sink: GrpcSink, identity: Identity): void {
    const known = this.#streams.get(sink);
    const stream = known ?? new KeepAliveStream(this.#host, this.#required, sink);
    if (known === undefined) this.#streams.set(sink, stream);
    stream.take(message, identity);
  }
}

/**
 * Questions on it are asked side by side: one that must wait for the end of its lease holds up no other.
 * An error ends the stream, as in etcd; so does the client's half-close, once all are answered.
 */
class KeepAliveStream {
  readonly #host: HostApi;
  readonly #required: LeaderRequired;
  readonly #sink: GrpcSink;
  #asked: number;
  #unread: number;
  #halfClosed: boolean;

  constructor(host: HostApi, required: LeaderRequired, sink: GrpcSink) {
    this.#host = host;
    this.#required = required;
    this.#sink = sink;
    this.#asked = 0;
    this.#unread = 0;
    this.#halfClosed = false;
    required.add(sink);
    sink.onCancel = () => required.remove(sink);
    sink.onDrain = () => (this.#unread = 0);
    sink.onHalfClose = () => {
      this.#halfClosed = true;
      this.#maybeFinish();
    };
  }

  take(message: Uint8Array, identity: Identity): void {
    const id = decodeLeaseIdRequest(message);
    if (id === null) {
      this.#required.remove(this.#sink);
      return malformed(this.#sink);
    }
    this.#asked += 1;
    const failing = sinkOf(this.#sink);
    const answering = {
      reply: (answer: Uint8Array) => this.#reply(answer),
      fail: (failure: Failure) => {
        this.#required.remove(this.#sink);
        failing.fail(failure);
      },
    };
    this.#host.leases.keepAlive(id, answering, identity);
  }

  #reply(bytes: Uint8Array): void {
    this.#asked -= 1;
    const taken = this.#sink.write(bytes);
    this.#unread = taken ? 0 : this.#unread + 1;
    if (this.#unread > unreadMax) {
      this.#required.remove(this.#sink);
      return this.#sink.fail(GrpcCode.ResourceExhausted, "etcdserver: too many requests");
    }
    this.#maybeFinish();
  }

  #maybeFinish(): void {
    if (!this.#halfClosed || this.#asked > 0) return;
    this.#required.remove(this.#sink);
    this.#sink.finish();
  }
}

function malformed(sink: GrpcSink): void {
  const { code, text } = kvErrorOf(KvError.Malformed);
  sink.fail(code, text);
}
