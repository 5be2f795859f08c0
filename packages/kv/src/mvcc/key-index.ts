// The key index: every key that has a reachable version, in order, with where each of its versions
// lives (a RowRef). Holds no values and writes no rows. Its rules are those of etcd's key index
// (mvcc/key_index.go of 3.4): the newest version with main ≤ the revision read at, unless that is
// a tombstone.
//
// Worked example, key "a": put in 2, put in 5, deleted in 7, put in 9.
//   slot of "a": main 9; its chain: tombstone 7 (dies at 7) → 5 (dies at 7) → 2 (dies at 5)
//   read at 8: nothing; at 6: row 5. Compaction at 7 takes 2, 5 and the tombstone out; at 9 nothing
//   more: row 9 is the key's state at 9.
import { assert } from "@quorate/base";
import type { RowRef } from "../rows.ts";
import { KeyBlocks } from "./key-blocks.ts";
import { KeySlots } from "./key-slots.ts";
import { VersionQueue } from "./version-queue.ts";

/** A key's live row, before a put or delete changes it. */
export const noRef: RowRef = -1;

export class KeyIndex {
  readonly slots: KeySlots;
  readonly #blocks: KeyBlocks;
  readonly #queue: VersionQueue;
  /** Bound once: `insertHere` needs it only when a block splits. */
  readonly #isLive: (slot: number) => boolean;

  constructor() {
    this.slots = new KeySlots();
    this.#blocks = new KeyBlocks(this.slots);
    this.#queue = new VersionQueue();
    this.#isLive = (slot) => this.slots.main(slot) !== 0;
  }

  /** Keys with a reachable version, dead ones included. */
  get size(): number {
    return this.#blocks.size;
  }

  /** Superseded versions and tombstones not yet compacted away. */
  get superseded(): number {
    return this.#queue.size;
  }

  /** The key's slot, or -1. */
  find(key: string): number {
    return this.#blocks.seek(key) ? this.#blocks.slotHere() : -1;
  }

  /** The slot of a key that is alive now, or -1. */
  findLive(key: string): number {
    const slot = this.find(key);
    return slot >= 0 && this.slots.main(slot) !== 0 ? slot : -1;
  }

  /** The row that holds the key of the slot at `revision`, or `noRef`. */
  refAt(slot: number, revision: number): RowRef {
    const main = this.slots.main(slot);
    if (main !== 0 && main <= revision) return this.slots.ref(slot);
    const found = this.#queue.findAt(this.slots.head(slot), revision);
    return found < 0 || this.#queue.tombstone(found) ? noRef : this.#queue.ref(found);
  }

  /** Makes the row the key's live one; its slot. Mains never descend. */
  put(key: string, main: number, ref: RowRef, createRevision: number, version: number): number {
    const blocks = this.#blocks;
    let slot: number;
    if (blocks.seek(key)) {
      slot = blocks.slotHere();
      const oldMain = this.slots.main(slot);
      if (oldMain === 0) {
        blocks.blockHere().live++;
      } else {
        assert(oldMain <= main, "KeyIndex.put: a main revision below the key's");
        const head = this.slots.head(slot);
        const oldRef = this.slots.ref(slot);
        this.slots.setHead(slot, this.#queue.push(slot, oldMain, oldRef, false, main, head));
      }
    } else {
      slot = this.slots.allocate(key);
      blocks.insertHere(key, slot, this.#isLive);
      blocks.blockHere().live++;
    }
    this.slots.setLive(slot, main, ref, createRevision, version);
    this.#changed(main);
    return slot;
  }

  /** The live row of the slot is superseded by a tombstone. */
  delete(slot: number, main: number, ref: RowRef): void {
    const oldMain = this.slots.main(slot);
    assert(oldMain !== 0, "KeyIndex.delete: the key is dead");
    assert(oldMain <= main, "KeyIndex.delete: a main revision below the key's");
    const found = this.#blocks.seek(this.slots.key(slot));
    assert(found, "KeyIndex.delete: the key is not in the blocks");
    const head = this.slots.head(slot);
    const oldRef = this.slots.ref(slot);
    const superseded = this.#queue.push(slot, oldMain, oldRef, false, main, head);
    this.slots.setHead(slot, this.#queue.push(slot, main, ref, true, main, superseded));
    this.slots.kill(slot);
    this.#blocks.blockHere().live--;
    this.#changed(main);
  }

  /**
   * Keys of [key, end) alive at `revision`: how many; the refs of their rows, in order of keys, go
   * to `refs` until it has `limit`. `end` null: no end.
   */
  collect(
    key: string,
    end: string | null,
    revision: number,
    limit: number,
    refs: RowRef[],
  ): number {
    const blocks = this.#blocks;
    blocks.seek(key);
    let count = 0;
    let position = blocks.position;
    for (let at = blocks.at; at < blocks.blockCount; at++) {
      const block = blocks.block(at);
      const whole = end === null || (at + 1 < blocks.blockCount && blocks.first(at + 1) <= end);
      if (whole && position === 0 && refs.length >= limit && block.changedMain <= revision) {
        count += block.live;
        continue;
      }
      for (; position < block.count; position++) {
        if (!whole && block.key(position) >= end) return count;
        const ref = this.refAt(block.slot(position), revision);
        if (ref === noRef) continue;
        count++;
        if (refs.length < limit) refs.push(ref);
      }
      position = 0;
    }
    return count;
  }

  /** The slots of the keys of [key, end) that are alive now, in order. */
  collectLive(key: string, end: string | null): number[] {
    const blocks = this.#blocks;
    const live: number[] = [];
    blocks.seek(key);
    let position = blocks.position;
    for (let at = blocks.at; at < blocks.blockCount; at++) {
      const block = blocks.block(at);
      for (; position < block.count; position++) {
        if (end !== null && block.key(position) >= end) return live;
        const slot = block.slot(position);
        if (this.slots.main(slot) !== 0) live.push(slot);
      }
      position = 0;
    }
    return live;
  }

  /**
   * True as soon as a key alive at `revision` turns up in block `at` or behind, looking at no more
   * than `blocksMax` blocks; else the index of the next block; -1 at the end.
   */
  anyAliveFrom(at: number, revision: number, blocksMax: number): true | number {
    const to = Math.min(this.#blocks.blockCount, at + blocksMax);
    for (let index = at; index < to; index++) {
      const block = this.#blocks.block(index);
      for (let position = 0; position < block.count; position++) {
        if (this.refAt(block.slot(position), revision) !== noRef) return true;
      }
    }
    return to === this.#blocks.blockCount ? -1 : to;
  }

  /** `compactOne` would find something to drop. */
  hasUnreachable(compactRevision: number): boolean {
    const queue = this.#queue;
    return queue.size > 0 && queue.dies(queue.head) <= compactRevision;
  }

  /**
   * Drops the oldest superseded version if no read at or above `compactRevision` can reach it, and
   * tells `dropped`; false when there is none. A key whose last reachable version was a tombstone
   * goes with it.
   */
  compactOne(compactRevision: number, dropped: (ref: RowRef, tombstone: boolean) => void): boolean {
    const queue = this.#queue;
    if (queue.size === 0) return false;
    const head = queue.head;
    if (queue.dies(head) > compactRevision) return false;
    const ref = queue.ref(head);
    const slot = queue.slot(head);
    const tombstone = queue.tombstone(head);
    const last = tombstone && this.slots.head(slot) === head;
    queue.shift();
    if (last && this.slots.main(slot) === 0) {
      const found = this.#blocks.seek(this.slots.key(slot));
      assert(found, "KeyIndex.compactOne: the key is not in the blocks");
      this.#blocks.removeHere();
      this.slots.free(slot);
    }
    dropped(ref, tombstone);
    return true;
  }

  #changed(main: number): void {
    const block = this.#blocks.blockHere();
    assert(block.changedMain <= main, "KeyIndex: main revisions descend");
    block.changedMain = main;
  }
}
