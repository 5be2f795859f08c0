// etcd's Snapshot: a backup of this member's state, from one moment, while writes go on. At most so many
// at once, which share one pace: at most that of snapshots to followers, far slower while the loop is late.
import type { GrpcSink } from "@quorate/grpc";
import { Failure, FailureCode, LoadLevel, Phase, SnapshotPace } from "@quorate/host";
import type { HostApi } from "@quorate/host";
import { KvError } from "@quorate/kv";
import { errorOf } from "./errors.ts";
import { blobBytes, SnapshotStream } from "./snapshot-stream.ts";

const snapshotsMax = 4;
const tickMs = 10;
/** A backup has more time than a follower that catches up: writes wait for less of it at once. */
const bounds = { floorBytesPerSecond: 2_097_152, burstBytesMax: 131_072 };

export class SnapshotService {
  readonly #host: HostApi;
  readonly #bytesPerSecond: number;
  /** Null: it waits until the state is held. */
  readonly #calls: Map<GrpcSink, SnapshotStream | null>;
  /** Null: nothing is sent. */
  #pace: SnapshotPace | null;

  constructor(host: HostApi, bytesPerSecond: number) {
    this.#host = host;
    this.#bytesPerSecond = bytesPerSecond;
    this.#calls = new Map();
    this.#pace = null;
  }

  snapshot(sink: GrpcSink): void {
    // A second message on the call asks for nothing more.
    if (this.#calls.has(sink)) return;
    const isBusy = this.#host.counters().loadLevel !== LoadLevel.None;
    if (isBusy || this.#calls.size >= snapshotsMax) return fail(sink, FailureCode.TooManyRequests);
    this.#calls.set(sink, null);
    sink.onCancel = () => this.#calls.delete(sink);
    this.#host.holdState((held) => {
      const isGone = !this.#calls.delete(sink);
      if (isGone) return held?.release();
      if (held === null) return fail(sink, this.#whyNone());
      const stream = new SnapshotStream(sink, held, {
        onReady: () => this.#step([stream]),
        onEnded: () => this.#calls.delete(sink),
      });
      this.#calls.set(sink, stream);
      if (this.#pace === null) this.#run();
    });
  }

  #whyNone(): FailureCode {
    const { phase } = this.#host.status();
    return phase === Phase.Scanning ? FailureCode.Rebuilding : FailureCode.Stopped;
  }

  /** Once a tick, as long as there are any. */
  #run(): void {
    const pace = new SnapshotPace(
      this.#bytesPerSecond,
      tickMs,
      blobBytes,
      performance.now(),
      bounds,
    );
    this.#pace = pace;
    const timer = setInterval(() => {
      pace.tick(performance.now());
      const streams = [...this.#calls.values()].filter((stream) => stream !== null);
      this.#step(streams);
      if (this.#calls.size > 0) return;
      clearInterval(timer);
      this.#pace = null;
    }, tickMs);
  }

  /** In turns, so that one does not wait for another to end. */
  #step(streams: readonly SnapshotStream[]): void {
    const pace = this.#pace;
    if (pace === null) return;
    const nowMs = performance.now();
    let active = streams;
    while (active.length > 0) active = active.filter((stream) => stream.step(pace, nowMs));
  }
}

function fail(sink: GrpcSink, code: FailureCode): void {
  const { code: status, text } = errorOf(new Failure(code, KvError.None, []));
  sink.fail(status, text);
}
