// What a host sees of its watchers: class WatchHub (watch-hub.ts) implements it.
import type { Watcher } from "./watcher.ts";

export interface Watches {
  /** Synced watchers have been told of everything up to it. */
  readonly revision: number;
  /** There is a state to watch. */
  readonly whole: boolean;
  /** And nothing that apply has changed waits to be told (`flush`): watchers may come. */
  readonly settled: boolean;
  readonly counts: WatchCounts;
  /** While it is settled. */
  add(watcher: Watcher): void;
  remove(watcher: Watcher): void;
  /** Its target is ready again. */
  resume(watcher: Watcher): void;
  /** After each slice of apply: tells the synced ones what it has changed. */
  flush(): void;
  /** Feeds who is behind; true when somebody still is and could be fed. */
  catchUp(): boolean;
  /** The state is gone, or is being replaced: nobody is told anything until another has come. */
  stateGone(): void;
  /** There is a state, at the store's revision: it may lie behind what watchers were told. */
  stateBack(): void;
}

export interface WatchCounts {
  readonly synced: number;
  readonly lagging: number;
  readonly future: number;
}
