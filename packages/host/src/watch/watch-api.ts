// A client's stream of watchers, as whoever carries it sees it: the server's gRPC calls, and the
// clients of the simulator.
import type { Failure } from "../host-api.ts";

export interface WatchSink {
  /** One encoded WatchResponse, in order. */
  write(message: Uint8Array): void;
  /** Bytes written that have not left yet. */
  readonly buffered: number;
  /** So much that `WatchStream.drained` will be called when all has left. */
  readonly needsDrain: boolean;
  /** The stream has ended; nothing is written any more. */
  fail(failure: Failure): void;
}

export interface WatchStream {
  /** One encoded WatchRequest. */
  message(bytes: Uint8Array): void;
  /** What the sink had buffered has left. */
  drained(): void;
  /** The client has gone. */
  close(): void;
}

/** etcd-api.md §1.5, reliability.md §6.4. */
export interface WatchLimits {
  readonly watchersPerStreamMax: number;
  readonly watchersMax: number;
  /** Written and not yet taken, after which a stream waits. */
  readonly streamBufferBytes: number;
  readonly bufferBytes: number;
  /** Watchers that asked for it hear so often up to where they were told, when nothing happens. */
  readonly progressMs: number;
  /** A response with more is cut, for those who can put it together again. */
  readonly fragmentBytes: number;
}

/** reliability.md §6.4. */
export const watchersMax: Pick<WatchLimits, "watchersPerStreamMax" | "watchersMax"> = {
  watchersPerStreamMax: 10_000,
  watchersMax: 1_000_000,
};

/** Of a member that takes no streams; its sink hears why. */
export const closedWatch: WatchStream = {
  message: () => undefined,
  drained: () => undefined,
  close: () => undefined,
};
