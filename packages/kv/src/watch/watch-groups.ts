// Watchers by what they watch: those of one key in a map, those of ranges in an interval tree. All
// watchers of one key or one range are a group, so an event is matched and encoded once for them.
import { must } from "@quorate/base";
import { IntervalTree } from "./interval-tree.ts";
import type { Interval } from "./interval-tree.ts";
import type { Watcher } from "./watcher.ts";

/** Everybody who watches one key, or one range. */
export class WatchGroup implements Interval {
  readonly key: string;
  readonly end: string | null;
  readonly single: boolean;
  readonly watchers: Set<Watcher>;
  /** Numbers of the rows of the present batch that lie in it, ascending. */
  readonly hits: number[];

  constructor({ key, end, single }: Watcher) {
    this.key = key;
    this.end = end;
    this.single = single;
    this.watchers = new Set();
    this.hits = [];
  }
}

export class WatchGroups {
  readonly #keys: Map<string, WatchGroup>;
  readonly #ranges: IntervalTree<WatchGroup>;
  /** Groups with hits. */
  readonly #touched: WatchGroup[];
  /** The row that is matched, for `#hit`. */
  #row: number;
  readonly #hit: (group: WatchGroup) => void;
  #size: number;

  constructor() {
    this.#keys = new Map();
    this.#ranges = new IntervalTree();
    this.#touched = [];
    this.#row = 0;
    this.#hit = (group) => {
      if (group.hits.length === 0) this.#touched.push(group);
      group.hits.push(this.#row);
    };
    this.#size = 0;
  }

  /** Watchers. */
  get size(): number {
    return this.#size;
  }

  add(watcher: Watcher): void {
    let group = this.#groupOf(watcher);
    if (group === null) {
      group = new WatchGroup(watcher);
      if (watcher.single) this.#keys.set(watcher.key, group);
      else this.#ranges.add(group);
    }
    group.watchers.add(watcher);
    this.#size += 1;
  }

  /** It was added. */
  remove(watcher: Watcher): void {
    const group = must(this.#groupOf(watcher), "a watcher that was added has a group");
    group.watchers.delete(watcher);
    this.#size -= 1;
    if (group.watchers.size > 0) return;
    if (watcher.single) this.#keys.delete(watcher.key);
    else this.#ranges.remove(group);
  }

  /** A list of its own. */
  all(): Watcher[] {
    const watchers: Watcher[] = [];
    for (const group of this.#keys.values()) watchers.push(...group.watchers);
    this.#ranges.each((group) => watchers.push(...group.watchers));
    return watchers;
  }

  /** Row number `row` has this key: notes it with every group that watches it. */
  match(key: string, row: number): void {
    this.#row = row;
    const group = this.#keys.get(key);
    if (group !== undefined) this.#hit(group);
    if (this.#ranges.size > 0) this.#ranges.stab(key, this.#hit);
  }

  /** The groups with hits, whose hits are forgotten afterwards. */
  takeTouched(visit: (group: WatchGroup) => void): void {
    const touched = this.#touched.splice(0);
    for (const group of touched) {
      visit(group);
      group.hits.length = 0;
    }
  }

  #groupOf({ key, end, single }: Watcher): WatchGroup | null {
    return single ? (this.#keys.get(key) ?? null) : this.#ranges.find(key, end);
  }
}
