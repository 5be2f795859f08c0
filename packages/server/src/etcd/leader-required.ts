// Streams whose client says `hasleader`: they end when this member has known of no leader for three
// election timeouts, so that the client goes elsewhere (etcd-api.md W7). Those of Watch are the host's.
import type { GrpcSink } from "@quorate/grpc";
import { FailureCode, Failure } from "@quorate/host";
import type { HostApi } from "@quorate/host";
import { KvError } from "@quorate/kv";
import { sinkOf } from "./messages.ts";

const leaderlessTimeouts = 3;

export class LeaderRequired {
  readonly #host: HostApi;
  readonly #leaderlessMs: number;
  readonly #sinks: Set<GrpcSink>;
  /** Of the last look that found a leader. */
  #ledMs: number;

  constructor(host: HostApi, electionTimeoutMs: number) {
    this.#host = host;
    this.#leaderlessMs = leaderlessTimeouts * electionTimeoutMs;
    this.#sinks = new Set();
    this.#ledMs = performance.now();
  }

  /** If its client asks for it. */
  add(sink: GrpcSink): void {
    if (sink.metadata["hasleader"] === "true") this.#sinks.add(sink);
  }

  /** It has ended. */
  remove(sink: GrpcSink): void {
    this.#sinks.delete(sink);
  }

  /** Once a second. */
  tick(): void {
    const { leaderMemberId } = this.#host.status();
    if (leaderMemberId !== "") this.#ledMs = performance.now();
    if (performance.now() - this.#ledMs < this.#leaderlessMs) return;
    const failure = new Failure(FailureCode.NoLeader, KvError.None, []);
    for (const sink of this.#sinks) sinkOf(sink).fail(failure);
    this.#sinks.clear();
  }
}
