// One sorted block of keys, as their slots: the strings are KeySlots', so that a block is two columns
// of numbers, which grow and shift without a word from the garbage collector. A search that compared
// strings would touch a string in a cold place of memory at each of its nine steps; so each key has a
// hint beside it, its four chars behind the prefix that all keys of the block share, and a search
// among the hints, which lie together, leaves few strings to compare.

export const blockKeysMax = 512;

const HINT_CHARS = 4;

/** Who knows the key of a slot. */
export interface KeyNames {
  key(slot: number): string;
}

export class KeyBlock {
  readonly #names: KeyNames;
  #count: number;
  /** Keys alive at the newest revision. */
  live: number;
  /** No key inside changed after this main revision. */
  changedMain: number;
  /** Every key starts with it. */
  #prefix: string;
  /** In order of their keys, up to `count`. */
  readonly #slots: Uint32Array;
  /** Of each key; ascending, as the keys are, but equal ones may stand for different keys. */
  readonly #hints: Uint32Array;

  constructor(names: KeyNames, slots: Uint32Array, live: number, changedMain: number) {
    this.#names = names;
    this.#count = slots.length;
    this.live = live;
    this.changedMain = changedMain;
    this.#prefix = "";
    this.#slots = new Uint32Array(blockKeysMax);
    this.#slots.set(slots);
    this.#hints = new Uint32Array(blockKeysMax);
    this.#rehint();
  }

  get count(): number {
    return this.#count;
  }

  slot(position: number): number {
    return this.#slots[position]!;
  }

  key(position: number): string {
    return this.#names.key(this.#slots[position]!);
  }

  /** Position of the first key ≥ `key`, which must not be below the block's first key. */
  search(key: string): number {
    const count = this.#count;
    // Not below the first and without its prefix: above all that have it.
    if (!key.startsWith(this.#prefix)) return count;
    const hint = hintOf(key, this.#prefix.length);
    const hints = this.#hints;
    let from = 0;
    let to = count;
    while (from < to) {
      const middle = (from + to) >>> 1;
      if (hints[middle]! < hint) from = middle + 1;
      else to = middle;
    }
    if (from === count || hints[from]! > hint) return from;
    // Among the keys of the same hint strings decide: mostly one, or the next two.
    if (this.key(from) >= key) return from;
    to = count;
    from++;
    while (from < to) {
      const middle = (from + to) >>> 1;
      if (hints[middle]! <= hint && this.key(middle) < key) from = middle + 1;
      else to = middle;
    }
    return from;
  }

  insert(position: number, key: string, slot: number): void {
    const slots = this.#slots;
    const hints = this.#hints;
    for (let at = this.#count; at > position; at--) {
      slots[at] = slots[at - 1]!;
      hints[at] = hints[at - 1]!;
    }
    slots[position] = slot;
    this.#count++;
    if (key.startsWith(this.#prefix)) hints[position] = hintOf(key, this.#prefix.length);
    else this.#rehint();
  }

  remove(position: number): void {
    this.#slots.copyWithin(position, position + 1, this.#count);
    this.#hints.copyWithin(position, position + 1, this.#count);
    this.#count--;
  }

  /** Takes the keys from `position` on out; gives their slots. */
  cut(position: number): Uint32Array {
    const slots = this.#slots.slice(position, this.#count);
    this.#count = position;
    this.#rehint();
    return slots;
  }

  /** Takes over all of the block behind this one. */
  absorb(next: KeyBlock): void {
    this.#slots.set(next.#slots.subarray(0, next.#count), this.#count);
    this.#count += next.#count;
    this.live += next.live;
    this.changedMain = Math.max(this.changedMain, next.changedMain);
    this.#rehint();
  }

  #rehint(): void {
    const count = this.#count;
    if (count === 0) return;
    this.#prefix = commonPrefix(this.key(0), this.key(count - 1));
    for (let i = 0; i < count; i++) this.#hints[i] = hintOf(this.key(i), this.#prefix.length);
  }
}

// Chars beyond the end count as 0: a shorter key is never above a longer one that starts with it.
function hintOf(key: string, at: number): number {
  let hint = 0;
  for (let i = at; i < at + HINT_CHARS; i++) {
    hint = (hint << 8) | (i < key.length ? key.charCodeAt(i) : 0);
  }
  return hint >>> 0;
}

function commonPrefix(a: string, b: string): string {
  const shared = Math.min(a.length, b.length);
  let length = 0;
  while (length < shared && a.charCodeAt(length) === b.charCodeAt(length)) length++;
  // A slice of a long string would keep all of it alive; keys of a block are alive anyway.
  return a.slice(0, length);
}
