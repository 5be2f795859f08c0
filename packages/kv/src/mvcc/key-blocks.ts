// The ordered set of keys: key → slot, in sorted blocks of at most blockKeysMax keys. Keys are
// latin1 strings, one char a byte, so `<` is the order of the bytes (DESIGN.md 13). Knows nothing
// of versions; what the slots mean is KeySlots'. Each block keeps two numbers that let a count
// pass over it without looking inside.
import { assert } from "@quorate/base";
import { blockKeysMax, KeyBlock } from "./key-block.ts";
import type { KeyNames } from "./key-block.ts";

/** A block below this joins its neighbour when both fit into one with room to grow. */
const BLOCK_KEYS_MIN = blockKeysMax / 4;

export class KeyBlocks {
  readonly #names: KeyNames;
  // Invariant: #firsts[i] === #blocks[i].key(0); no block is empty; keys ascend throughout.
  #blocks: KeyBlock[];
  #firsts: string[];
  #size: number;
  // Where the last seek ended; valid until the next change.
  #block: number;
  #position: number;
  /** What was sought last, or null after a change: one operation asks for its key several times. */
  #sought: string | null;
  #found: boolean;

  constructor(names: KeyNames) {
    this.#names = names;
    this.#blocks = [];
    this.#firsts = [];
    this.#size = 0;
    this.#block = 0;
    this.#position = 0;
    this.#sought = null;
    this.#found = false;
  }

  get size(): number {
    return this.#size;
  }

  get blockCount(): number {
    return this.#blocks.length;
  }

  block(index: number): KeyBlock {
    return this.#blocks[index]!;
  }

  /** First key of a block: every key before it is smaller. */
  first(index: number): string {
    return this.#firsts[index]!;
  }

  /** Index of the block where the last seek ended; `blockCount` when there is none. */
  get at(): number {
    return this.#block;
  }

  get position(): number {
    return this.#position;
  }

  /** Goes to the first key ≥ `key`; true when it is that key. */
  seek(key: string): boolean {
    if (this.#sought === key) return this.#found;
    this.#sought = key;
    this.#found = this.#search(key);
    return this.#found;
  }

  #search(key: string): boolean {
    const firsts = this.#firsts;
    let low = 0;
    let high = firsts.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (firsts[middle]! <= key) low = middle + 1;
      else high = middle;
    }
    if (low === 0) {
      this.#block = 0;
      this.#position = 0;
      return false;
    }
    const block = this.#blocks[low - 1]!;
    const position = block.search(key);
    if (position === block.count) {
      this.#block = low;
      this.#position = 0;
      return false;
    }
    this.#block = low - 1;
    this.#position = position;
    return block.key(position) === key;
  }

  /** The slot where the last seek, which found its key, ended. */
  slotHere(): number {
    return this.#blocks[this.#block]!.slot(this.#position);
  }

  blockHere(): KeyBlock {
    return this.#blocks[this.#block]!;
  }

  /** Puts in the key of the last seek, which was not found; `blockHere` is its block afterwards. */
  insertHere(key: string, slot: number, liveOf: (slot: number) => boolean): void {
    this.#size++;
    this.#sought = null;
    if (this.#blocks.length === 0) {
      this.#blocks.push(new KeyBlock(this.#names, Uint32Array.of(slot), 0, 0));
      this.#firsts.push(key);
      this.#block = 0;
      this.#position = 0;
      return;
    }
    // A seek past a block's last key points at the next block's start: append to the former.
    if (this.#position === 0 && this.#block > 0) {
      this.#block--;
      this.#position = this.#blocks[this.#block]!.count;
    }
    if (this.#blocks[this.#block]!.count >= blockKeysMax) this.#split(liveOf);
    this.#blocks[this.#block]!.insert(this.#position, key, slot);
    if (this.#position === 0) this.#firsts[this.#block] = key;
  }

  /** Takes out the key where the last seek, which found it, ended; it must be dead. */
  removeHere(): void {
    const index = this.#block;
    const block = this.#blocks[index]!;
    this.#size--;
    this.#sought = null;
    block.remove(this.#position);
    if (block.count === 0) {
      this.#blocks.splice(index, 1);
      this.#firsts.splice(index, 1);
      return;
    }
    if (this.#position === 0) this.#firsts[index] = block.key(0);
    if (block.count < BLOCK_KEYS_MIN) this.#join(index);
  }

  // Ascending inserts, the usual pattern of numbered keys, leave full blocks behind; others halves.
  #split(liveOf: (slot: number) => boolean): void {
    const index = this.#block;
    const block = this.#blocks[index]!;
    const ascending = index === this.#blocks.length - 1 && this.#position === block.count;
    const keep = ascending ? block.count - 1 : block.count >>> 1;
    const slots = block.cut(keep);
    let live = 0;
    for (const slot of slots) if (liveOf(slot)) live++;
    block.live -= live;
    assert(block.live >= 0, "KeyBlocks: more keys alive behind the split than in the block");
    const next = new KeyBlock(this.#names, slots, live, block.changedMain);
    this.#blocks.splice(index + 1, 0, next);
    this.#firsts.splice(index + 1, 0, next.key(0));
    if (this.#position > keep) {
      this.#block++;
      this.#position -= keep;
    }
  }

  #join(index: number): void {
    const left = index > 0 ? index - 1 : index;
    if (left + 1 >= this.#blocks.length) return;
    const a = this.#blocks[left]!;
    const b = this.#blocks[left + 1]!;
    if (a.count + b.count > blockKeysMax / 2) return;
    a.absorb(b);
    this.#blocks.splice(left + 1, 1);
    this.#firsts.splice(left + 1, 1);
  }
}
