// The limits of streams of watchers, and the stream of a member that takes none.
import type { WatchStream } from "../host-api.ts";

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
