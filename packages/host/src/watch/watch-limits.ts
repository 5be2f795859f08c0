// The limits of streams of watchers, and the stream of a member that takes none.
import type { WatchStream } from "../host-api.ts";

/** etcd-api.md §1.5, reliability.md §6.4. */
export interface WatchLimits {
  readonly watchersPerStreamMax: number;
  /** Of all streams of one connection. */
  readonly watchersPerConnectionMax: number;
  readonly watchersMax: number;
  /** Written and not yet taken, after which a stream waits. */
  readonly streamBufferBytes: number;
  readonly bufferBytes: number;
  /** Watchers that asked for it hear so often up to where they were told, when nothing happens. */
  readonly progressMs: number;
  /** A response with more is cut, for those who can put it together again. */
  readonly fragmentBytes: number;
}

/** Of a member that takes no streams; its sink hears why. */
export const closedWatch: WatchStream = {
  message: () => undefined,
  drained: () => undefined,
  close: () => undefined,
};
