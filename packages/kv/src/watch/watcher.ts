// One watcher: which keys it watches, what it wants to be told of them, and up to where it has been
// told. Where it stands among the others is the hub's to move (watch-hub.ts).
import type { EventBatch } from "./event-batch.ts";

/** Where a watcher stands. */
export const WatchPlace = {
  /** Added to no hub, or removed. */
  Nowhere: 0,
  /** Told of everything up to the hub's revision: it hears what comes as it comes. */
  Synced: 1,
  /** Behind: it is fed from the rows. */
  Lagging: 2,
  /** Behind, and its target takes nothing at present. */
  Blocked: 3,
  /** Its first revision is still to come. */
  Future: 4,
} as const;
export type WatchPlace = (typeof WatchPlace)[keyof typeof WatchPlace];

/** Who hears of events: a client's stream. */
export interface WatchTarget {
  /** It takes more now. When it does again after it did not, it calls `WatchHub.resume`. */
  readonly ready: boolean;
  /** Everything for this watcher up to `revision` that it was not told before. */
  deliver(watcher: Watcher, batch: EventBatch, revision: number): void;
  /** It was not ready when there was something to tell; it must be resumed. */
  blocked(watcher: Watcher): void;
  /** What it would be told next is compacted; it is in the hub no more. */
  compacted(watcher: Watcher, compactRevision: number): void;
}

export interface WatcherOptions {
  /** latin1, as in the key index. */
  readonly key: string;
  /** `key` alone, whatever `end` says. */
  readonly single: boolean;
  /** Exclusive; null: everything from `key` on. */
  readonly end: string | null;
  readonly noPuts: boolean;
  readonly noDeletes: boolean;
  readonly prevKv: boolean;
  /** First revision it wants; 0: what is new from now on. */
  readonly startRevision: number;
}

export class Watcher implements WatcherOptions {
  readonly target: WatchTarget;
  readonly key: string;
  readonly single: boolean;
  readonly end: string | null;
  readonly noPuts: boolean;
  readonly noDeletes: boolean;
  readonly prevKv: boolean;
  readonly startRevision: number;
  /** Moved by the hub alone. */
  place: WatchPlace;
  /**
   * The first revision it was not told of. Invariant: never goes down. Of a synced watcher it is the
   * hub's revision + 1, and not kept up to date here.
   */
  next: number;

  constructor(target: WatchTarget, options: WatcherOptions) {
    this.target = target;
    this.key = options.key;
    this.single = options.single;
    this.end = options.end;
    this.noPuts = options.noPuts;
    this.noDeletes = options.noDeletes;
    this.prevKv = options.prevKv;
    this.startRevision = options.startRevision;
    this.place = WatchPlace.Nowhere;
    this.next = options.startRevision;
  }
}
