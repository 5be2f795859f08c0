// All watchers of this member, and what each must still be told (etcd's watchable store). Those that
// are synced hear of new rows as apply commits them; those that are behind are fed from the rows, a
// slice at a time, whoever is next first: nobody is fed at the cost of others, and who does not read
// costs nothing but its place in a list. Watching changes nothing of the replicated state.
//
// Invariant: a watcher is told of every event of its keys with revisions from its first on, once, in
// order; W1 to W4 of reliability.md §2.2 follow from `next` alone.
import { assert, Heap, latin1Decode } from "@quorate/base";
import { noRef } from "../mvcc/key-index.ts";
import type { MvccStore } from "../mvcc/store.ts";
import type { Row } from "../rows.ts";
import { EventEncoder, partBytesMax } from "./event-batch.ts";
import type { EventBatch } from "./event-batch.ts";
import { WatchGroups } from "./watch-groups.ts";
import type { WatchGroup } from "./watch-groups.ts";
import { WatchPlace } from "./watcher.ts";
import type { Watcher } from "./watcher.ts";
import type { WatchCounts, Watches } from "./watches.ts";

/** How much is done at a time for those who are behind. */
export interface CatchUpPace {
  /** Rows that one slice reads, and their bytes, but for the last revision's. */
  readonly sliceRowsMax: number;
  readonly sliceBytesMax: number;
  /** Watchers that share a slice; their positions lie at most so many revisions apart as it has rows. */
  readonly sliceWatchersMax: number;
  readonly slicesPerStepMax: number;
}

const defaultPace: CatchUpPace = {
  sliceRowsMax: 1000,
  sliceBytesMax: partBytesMax,
  sliceWatchersMax: 512,
  slicesPerStepMax: 2,
};

/** Batches of one group that are kept at a time: watchers at as many positions share. */
const batchesKeptMax = 8;

export class WatchHub implements Watches {
  readonly #store: MvccStore;
  readonly #pace: CatchUpPace;
  /** Told of everything up to here, who is synced. */
  #revision: number;
  /** There is a state to watch. */
  #whole: boolean;
  readonly #synced: WatchGroups;
  /** In the order in which they have their turn. */
  readonly #lagging: Set<Watcher>;
  readonly #future: Heap<Watcher>;
  #blocked: number;
  /** Rows above `#revision`, and their keys, while anybody is synced. */
  #rows: Row[];
  #keys: string[];
  readonly #previousOf: (row: Row) => Row | null;

  constructor(store: MvccStore, pace: CatchUpPace = defaultPace) {
    this.#store = store;
    this.#pace = pace;
    this.#revision = store.revision;
    this.#whole = false;
    this.#synced = new WatchGroups();
    this.#lagging = new Set();
    this.#future = new Heap((a, b) => a.next - b.next);
    this.#blocked = 0;
    this.#rows = [];
    this.#keys = [];
    this.#previousOf = (row) => previousOf(store, row);
    store.onRow = (key, row) => {
      if (this.#synced.size === 0) return;
      this.#rows.push(row);
      this.#keys.push(key);
    };
  }

  get revision(): number {
    return this.#revision;
  }

  get whole(): boolean {
    return this.#whole;
  }

  get settled(): boolean {
    return this.#whole && this.#rows.length === 0;
  }

  get counts(): WatchCounts {
    const lagging = this.#lagging.size + this.#blocked;
    return { synced: this.#synced.size, lagging, future: this.#future.size };
  }

  add(watcher: Watcher): void {
    assert(watcher.place === WatchPlace.Nowhere, "WatchHub.add: the watcher is in a hub");
    assert(this.settled, "WatchHub.add: in the middle of a turn");
    if (watcher.startRevision === 0) watcher.next = this.#revision + 1;
    this.#place(watcher);
  }

  remove(watcher: Watcher): void {
    switch (watcher.place) {
      case WatchPlace.Synced:
        this.#synced.remove(watcher);
        break;
      case WatchPlace.Lagging:
        this.#lagging.delete(watcher);
        break;
      case WatchPlace.Blocked:
        this.#blocked -= 1;
        break;
      case WatchPlace.Future:
        this.#future.remove(watcher);
        break;
      default:
    }
    watcher.place = WatchPlace.Nowhere;
  }

  resume(watcher: Watcher): void {
    if (watcher.place !== WatchPlace.Blocked) return;
    this.#blocked -= 1;
    this.#lag(watcher);
  }

  flush(): void {
    const { revision } = this.#store;
    if (!this.#whole || revision === this.#revision) return;
    const rows = this.#rows;
    const keys = this.#keys;
    this.#rows = [];
    this.#keys = [];
    // After a recovery the revision jumps over some that never were: then the rows decide (and what
    // the jump has compacted is said).
    if (this.#synced.size > 0 && countRevisions(rows) !== revision - this.#revision) {
      this.#lagAllSynced();
    }
    const before = this.#revision;
    this.#revision = revision;
    for (let at = 0; at < keys.length; at += 1) this.#synced.match(keys[at]!, at);
    const encoder = new EventEncoder(rows, this.#previousOf);
    this.#synced.takeTouched((group) => this.#tell(group, encoder, before));
    for (let first = this.#future.peek(); first !== null; first = this.#future.peek()) {
      if (first.next > revision + 1) break;
      this.#future.pop();
      this.#place(first);
    }
  }

  catchUp(): boolean {
    if (!this.#whole) return false;
    for (
      let slices = 0;
      slices < this.#pace.slicesPerStepMax && this.#lagging.size > 0;
      slices += 1
    ) {
      this.#slice();
    }
    return this.#lagging.size > 0;
  }

  stateGone(): void {
    if (!this.#whole) return;
    this.#whole = false;
    this.#rows = [];
    this.#keys = [];
    this.#lagAllSynced();
  }

  stateBack(): void {
    this.#whole = true;
    this.#revision = this.#store.revision;
    for (const watcher of [...this.#lagging]) {
      if (watcher.next <= this.#revision) continue;
      this.#lagging.delete(watcher);
      this.#place(watcher);
    }
    const { revision } = this;
    while (this.#future.size > 0 && this.#future.peek()!.next <= revision + 1) {
      this.#place(this.#future.pop()!);
    }
  }

  // ---- Places -------------------------------------------------------------------------------------

  /** By what it must be told next. */
  #place(watcher: Watcher): void {
    if (watcher.next <= this.#revision) return this.#lag(watcher);
    if (watcher.next > this.#revision + 1) {
      watcher.place = WatchPlace.Future;
      this.#future.push(watcher);
      return;
    }
    watcher.place = WatchPlace.Synced;
    this.#synced.add(watcher);
  }

  #lag(watcher: Watcher): void {
    watcher.place = WatchPlace.Lagging;
    this.#lagging.add(watcher);
  }

  /** It is lagging. */
  #block(watcher: Watcher): void {
    this.#lagging.delete(watcher);
    watcher.place = WatchPlace.Blocked;
    this.#blocked += 1;
    watcher.target.blocked(watcher);
  }

  /** They were told of everything up to `#revision`. */
  #lagAllSynced(): void {
    for (const watcher of this.#synced.all()) {
      this.#synced.remove(watcher);
      watcher.next = this.#revision + 1;
      this.#lag(watcher);
    }
  }

  // ---- Telling ------------------------------------------------------------------------------------

  /** `before`: the revision up to which the group's watchers were told. */
  #tell(group: WatchGroup, encoder: EventEncoder, before: number): void {
    const batches = new Batches(group, encoder);
    for (const watcher of [...group.watchers]) {
      watcher.next = before + 1;
      const batch = batches.for(watcher);
      if (batch.length === 0) continue;
      // Much at once, or a target that does not read: it takes it from the rows, in its own time.
      if (batch.length === 1 && watcher.target.ready) {
        watcher.target.deliver(watcher, batch, this.#revision);
      } else {
        this.#synced.remove(watcher);
        this.#lag(watcher);
      }
    }
  }

  /** What the first in the line, and those near it, are told next. */
  #slice(): void {
    const sharing = this.#shareSlice();
    if (sharing.length === 0) return;
    const groups = new WatchGroups();
    for (const watcher of sharing) groups.add(watcher);
    const rows: Row[] = [];
    const upTo = this.#read(sharing[0]!.next, groups, rows);
    const encoder = new EventEncoder(rows, this.#previousOf);
    groups.takeTouched((group) => {
      const batches = new Batches(group, encoder);
      for (const watcher of group.watchers) {
        const batch = batches.for(watcher);
        if (batch.length === 0) continue;
        // What others were given may have filled its stream, or all that the process may keep.
        if (watcher.target.ready) watcher.target.deliver(watcher, batch, upTo);
        else this.#block(watcher);
      }
    });
    for (const watcher of sharing) {
      // Put aside, or gone: delivering may have ended its stream.
      if (watcher.place !== WatchPlace.Lagging) continue;
      this.#lagging.delete(watcher);
      watcher.next = Math.max(watcher.next, upTo + 1);
      this.#place(watcher);
    }
  }

  /** The first in the line, and whoever is not far ahead of it; those that cannot be fed are put aside. */
  #shareSlice(): Watcher[] {
    const sharing: Watcher[] = [];
    let first = 0;
    let looked = 0;
    for (const watcher of this.#lagging) {
      if (looked++ >= this.#pace.sliceWatchersMax) break;
      if (!watcher.target.ready) {
        this.#block(watcher);
      } else if (watcher.next < this.#store.compactRevision) {
        this.remove(watcher);
        watcher.target.compacted(watcher, this.#store.compactRevision);
      } else if (sharing.length === 0) {
        first = watcher.next;
        sharing.push(watcher);
      } else if (watcher.next >= first && watcher.next <= first + this.#pace.sliceRowsMax) {
        sharing.push(watcher);
      }
    }
    return sharing;
  }

  /** The rows of whole revisions from `from` on that anybody in `groups` watches; up to which revision. */
  #read(from: number, groups: WatchGroups, rows: Row[]): number {
    const { sliceRowsMax, sliceBytesMax } = this.#pace;
    const cursor = this.#store.rows.cursorFrom(from);
    let count = 0;
    let bytes = 0;
    let main = 0;
    for (let row = cursor.next(); row !== null; row = cursor.next()) {
      if (row.main !== main) {
        if (count >= sliceRowsMax || bytes >= sliceBytesMax) return main;
        main = row.main;
      }
      count += 1;
      bytes += row.key.length + row.value.length;
      groups.match(latin1Decode(row.key), rows.length);
      rows.push(row);
    }
    return this.#revision;
  }
}

/** The batches of a group's hits, one for all watchers that want the same. */
class Batches {
  readonly #group: WatchGroup;
  readonly #encoder: EventEncoder;
  readonly #kept: Map<string, EventBatch>;

  constructor(group: WatchGroup, encoder: EventEncoder) {
    this.#group = group;
    this.#encoder = encoder;
    this.#kept = new Map();
  }

  for({ next, noPuts, noDeletes, prevKv }: Watcher): EventBatch {
    const from = this.#encoder.firstFrom(this.#group.hits, next);
    const name = `${from} ${noPuts} ${noDeletes} ${prevKv}`;
    const known = this.#kept.get(name);
    if (known !== undefined) return known;
    const choice = { noPuts, noDeletes, prevKv };
    const batch = this.#encoder.batchOf(this.#group.hits, from, choice);
    if (this.#kept.size < batchesKeptMax) this.#kept.set(name, batch);
    return batch;
  }
}

/** etcd: what a range at the revision before would give, and so nothing where that is compacted. */
function previousOf(store: MvccStore, row: Row): Row | null {
  if (row.main - 1 < store.compactRevision) return null;
  const slot = store.index.find(latin1Decode(row.key));
  const ref = slot < 0 ? noRef : store.index.refAt(slot, row.main - 1);
  return ref === noRef ? null : store.rows.read(ref);
}

function countRevisions(rows: readonly Row[]): number {
  let count = 0;
  let main = 0;
  for (const row of rows) {
    if (row.main !== main) count += 1;
    main = row.main;
  }
  return count;
}
