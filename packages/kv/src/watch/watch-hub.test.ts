// Method: a random history of puts, deletes, compactions, restarts and replaced states, beside which
// watchers of all kinds come, stop reading, read again and go. What each was told is held against the
// rows themselves. Goal: W1 to W4 and W6 to W10 of reliability.md §2.2 for the hub alone: every event
// of a watcher's keys from its first revision on, once, in order, whole revisions at a time; nothing
// before a future start; an end with the compaction revision where history is gone.
import { deepEqual, equal, ok } from "node:assert/strict";
import { test } from "node:test";
import { latin1Decode, latin1Encode, must, Prng } from "@quorate/base";
import { MvccStore } from "../mvcc/store.ts";
import type { Row } from "../rows.ts";
import { MemoryRows, scannedOf } from "../testing/memory-rows.ts";
import { decodeWatchResponse } from "../wire/decode-watch.ts";
import { encodeWatchResponse } from "../wire/encode-watch.ts";
import { ProtoWriter } from "../wire/proto-writer.ts";
import type { EventBatch } from "./event-batch.ts";
import { WatchHub } from "./watch-hub.ts";
import { Watcher } from "./watcher.ts";
import type { WatchTarget } from "./watcher.ts";

const header = { ids: new Uint8Array(0), term: 1 };

/** What several listeners share: when one was told something, none of them may read for a while. */
interface Stream {
  ready: boolean;
}

interface Heard {
  readonly line: string;
  /** When it was told, the row before it was compacted. */
  readonly lacksPrevious: boolean;
}

/** A client that writes down what it hears. */
class Listener implements WatchTarget {
  readonly #world: World;
  readonly stream: Stream;
  readonly heard: Heard[];
  /** Up to here it was told everything. */
  toldUpTo: number;
  compactedAt: number | null;
  readonly #blocked: Set<Watcher>;

  constructor(world: World, stream: Stream) {
    this.#world = world;
    this.stream = stream;
    this.heard = [];
    this.toldUpTo = 0;
    this.compactedAt = null;
    this.#blocked = new Set();
  }

  get ready(): boolean {
    return this.stream.ready;
  }

  deliver(_watcher: Watcher, batch: EventBatch, revision: number): void {
    ok(this.ready, "told although it does not read");
    ok(batch.length > 0, "told nothing");
    for (const { bytes, ends } of batch) {
      const answer = { watchId: 0, revision };
      const response = must(
        decodeWatchResponse(encodeWatchResponse(new ProtoWriter(), header, answer, bytes)),
        "a response",
      );
      equal(response.events.length, ends.length);
      for (const { deleted, kv, prevKv } of response.events) {
        ok(kv.modRevision > this.toldUpTo, `${kv.modRevision} after ${this.toldUpTo}`);
        const before = prevKv === null ? "" : ` was ${latin1Decode(prevKv.value)}`;
        const value = deleted ? "deleted" : `${kv.version} ${latin1Decode(kv.value)}`;
        const line = `${kv.modRevision} ${latin1Decode(kv.key)} ${value}${before}`;
        const lacksPrevious = kv.modRevision - 1 < this.#world.store.compactRevision;
        this.heard.push({ line, lacksPrevious });
      }
    }
    ok(revision >= this.toldUpTo);
    this.toldUpTo = revision;
    if (this.#world.random.below(4) === 0) this.stream.ready = false;
  }

  blocked(watcher: Watcher): void {
    this.#blocked.add(watcher);
  }

  compacted(_watcher: Watcher, compactRevision: number): void {
    this.compactedAt = compactRevision;
  }

  read(hub: WatchHub): void {
    this.stream.ready = true;
    for (const watcher of this.#blocked) hub.resume(watcher);
    this.#blocked.clear();
  }
}

interface Told {
  readonly watcher: Watcher;
  readonly listener: Listener;
  readonly start: number;
}

/** A store and its hub, and all rows that were ever written. */
class World {
  readonly random: Prng;
  readonly rows: MemoryRows;
  store: MvccStore;
  readonly hub: WatchHub;
  readonly written: Row[];
  readonly told: Told[];
  readonly #streams: readonly Stream[];

  constructor(seed: number) {
    this.random = new Prng(seed);
    this.rows = new MemoryRows(4);
    this.store = new MvccStore(this.rows);
    this.hub = new WatchHub(this.store, {
      sliceRowsMax: this.random.below(6) + 1,
      sliceBytesMax: this.random.below(2) === 0 ? 20 : 10_000,
      sliceWatchersMax: this.random.below(4) + 1,
      slicesPerStepMax: 1,
    });
    this.hub.stateBack();
    this.written = [];
    this.told = [];
    this.#streams = Array.from({ length: 4 }, () => ({ ready: true }));
  }

  #key(): string {
    return "k" + "abcd"[this.random.below(4)]! + "abcd"[this.random.below(4)]!;
  }

  write(): void {
    const { store, random } = this;
    store.begin(1);
    for (let left = random.below(3) + 1; left > 0; left -= 1) {
      const key = this.#key();
      const value = latin1Encode(`v${this.written.length}`);
      const draw = random.below(6);
      // A key once in a transaction, as the edge demands.
      if (this.#changedNow(key)) continue;
      if (draw === 0) store.deleteKey(key);
      else if (draw === 1 && left === 1) this.#deleteBesides("ka", "kc");
      else store.put(key, latin1Encode(key), value, 0, 0);
    }
    const before = this.rows.count;
    store.commit();
    for (let ref = this.written.length; ref < before; ref += 1) this.written.push(this.#rowAt(ref));
  }

  #rowAt(ref: number): Row {
    for (const [row, at] of this.rows.stored()) if (at === ref) return row;
    throw new Error("a row that was just written is there");
  }

  #changedNow(key: string): boolean {
    const next = this.store.revision + 1;
    for (const [row] of this.rows.stored()) {
      if (row.main === next && latin1Decode(row.key) === key) return true;
    }
    return false;
  }

  #deleteBesides(from: string, to: string): void {
    if (![...this.rows.stored()].some(([row]) => row.main === this.store.revision + 1)) {
      this.store.deleteRange(from, to);
    }
  }

  watch(): void {
    const { random, hub, store } = this;
    const single = random.below(3) === 0;
    const from = this.#key().slice(0, random.below(2) + 2);
    const draw = random.below(4);
    const startRevision =
      draw === 0
        ? 0
        : draw === 1
          ? store.revision + random.below(6)
          : Math.max(1, store.revision - random.below(20));
    const listener = new Listener(this, random.pick(this.#streams));
    const watcher = new Watcher(listener, {
      key: from,
      single,
      end: random.below(3) === 0 ? null : "kc",
      noPuts: random.below(6) === 0,
      noDeletes: random.below(6) === 0,
      prevKv: random.below(3) === 0,
      startRevision,
    });
    if (!single && watcher.end !== null && watcher.end <= from) return;
    const start = startRevision === 0 ? store.revision + 1 : startRevision;
    hub.add(watcher);
    this.told.push({ watcher, listener, start });
  }

  compact(): void {
    const { store, random } = this;
    const revision = store.revision - random.below(8);
    if (revision > store.compactRevision && revision > 0) store.compact(revision);
    if (random.below(2) === 0) store.compactStep(random.below(1000));
    for (let segment = 0; 4 * segment < this.rows.count; segment += 1) {
      if (random.below(3) > 0) this.rows.reclaim(segment);
    }
  }

  /** The member starts anew from its rows: its clients are other ones then, but the hub must hold. */
  rebuild(): void {
    const numbers = this.store.numbers();
    this.hub.stateGone();
    this.store.beginRebuild(numbers);
    for (const [row, ref] of this.rows.stored()) {
      if (!this.rows.deadRefs.has(ref)) this.store.rebuildRow(scannedOf(row), ref);
    }
    ok(this.store.finishRebuild());
    this.hub.stateBack();
  }

  act(): void {
    const { random, told } = this;
    const draw = random.below(100);
    if (draw < 50) this.write();
    else if (draw < 62) this.watch();
    else if (draw < 68) this.compact();
    else if (draw < 70) this.rebuild();
    else if (draw < 80) random.pick(this.#streams).ready = false;
    else if (draw < 92) this.#read(random.pick(this.#streams));
    else if (draw < 93 && told.length > 0) {
      const [gone] = told.splice(random.below(told.length), 1);
      this.hub.remove(gone!.watcher);
      this.judge(gone!, false);
    }
    if (random.below(3) > 0) {
      this.hub.flush();
      this.hub.catchUp();
    } else {
      this.hub.flush();
    }
  }

  #read(stream: Stream): void {
    for (const { listener } of this.told) if (listener.stream === stream) listener.read(this.hub);
  }

  /** `all`: it has heard everything there is. */
  judge({ watcher, listener, start }: Told, all: boolean): void {
    const expected = this.written
      .filter((row) => row.main >= start && matches(watcher, row))
      .map((row) => this.#line(watcher, row));
    const heard = listener.heard.map(({ line, lacksPrevious }, at) =>
      lacksPrevious && expected[at]?.startsWith(`${line} was `) ? expected[at] : line,
    );
    deepEqual(heard, expected.slice(0, heard.length));
    if (all && listener.compactedAt === null) equal(heard.length, expected.length);
    if (listener.compactedAt !== null) ok(listener.compactedAt > listener.toldUpTo);
  }

  #line(watcher: Watcher, row: Row): string {
    const key = latin1Decode(row.key);
    const value = row.tombstone ? "deleted" : `${row.version} ${latin1Decode(row.value)}`;
    const previous = this.written.findLast(
      (other) => other.main < row.main && latin1Decode(other.key) === key,
    );
    const shows = watcher.prevKv && previous !== undefined && !previous.tombstone;
    return `${row.main} ${key} ${value}${shows ? ` was ${latin1Decode(previous.value)}` : ""}`;
  }

  finish(): void {
    this.hub.flush();
    for (let left = 10_000; this.hub.counts.lagging > 0; left -= 1) {
      ok(left > 0, "somebody never catches up");
      for (const { listener } of this.told) listener.read(this.hub);
      this.hub.catchUp();
    }
    for (const told of this.told) {
      this.judge(told, true);
      if (told.listener.compactedAt === null && told.start <= this.store.revision) {
        equal(told.watcher.place, 1, "it is synced");
      }
    }
  }
}

function matches({ key, single, end, noPuts, noDeletes }: Watcher, row: Row): boolean {
  if (row.tombstone ? noDeletes : noPuts) return false;
  const at = latin1Decode(row.key);
  return single ? at === key : at >= key && (end === null || at < end);
}

for (let block = 0; block < 4; block += 1) {
  test(`watchers hear what they must, seeds from ${block * 100} on`, () => {
    for (let seed = block * 100; seed < block * 100 + 100; seed += 1) {
      const world = new World(seed);
      for (let step = 0; step < 150; step += 1) world.act();
      world.finish();
    }
  });
}
