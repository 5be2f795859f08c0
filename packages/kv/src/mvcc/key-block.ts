// One sorted block of keys and their slots. A search that compared strings would touch a string in
// a cold place of memory at each of its nine steps; so each key has a hint beside it, its four
// chars behind the prefix that all keys of the block share, and a search among the hints, which lie
// together, leaves few strings to compare.

export const blockKeysMax = 512;

const HINT_CHARS = 4;

export class KeyBlock {
  readonly keys: string[];
  readonly slots: number[];
  /** Keys alive at the newest revision. */
  live: number;
  /** No key inside changed after this main revision. */
  changedMain: number;
  /** Every key starts with it. */
  #prefix: string;
  /** Of each key; ascending, as the keys are, but equal ones may stand for different keys. */
  readonly #hints: Uint32Array;

  constructor(keys: string[], slots: number[], live: number, changedMain: number) {
    this.keys = keys;
    this.slots = slots;
    this.live = live;
    this.changedMain = changedMain;
    this.#prefix = "";
    this.#hints = new Uint32Array(blockKeysMax);
    this.#rehint();
  }

  /** Position of the first key ≥ `key`, which must not be below the block's first key. */
  search(key: string): number {
    const { keys } = this;
    // Not below the first and without its prefix: above all that have it.
    if (!key.startsWith(this.#prefix)) return keys.length;
    const hint = hintOf(key, this.#prefix.length);
    const hints = this.#hints;
    let from = 0;
    let to = keys.length;
    while (from < to) {
      const middle = (from + to) >>> 1;
      if (hints[middle]! < hint) from = middle + 1;
      else to = middle;
    }
    if (from === keys.length || hints[from]! > hint) return from;
    // Among the keys of the same hint strings decide: mostly one, or the next two.
    if (keys[from]! >= key) return from;
    to = keys.length;
    from++;
    while (from < to) {
      const middle = (from + to) >>> 1;
      if (hints[middle]! <= hint && keys[middle]! < key) from = middle + 1;
      else to = middle;
    }
    return from;
  }

  insert(position: number, key: string, slot: number): void {
    const { keys, slots } = this;
    const hints = this.#hints;
    if (position === keys.length) {
      keys.push(key);
      slots.push(slot);
    } else {
      keys.splice(position, 0, key);
      slots.splice(position, 0, slot);
      hints.copyWithin(position + 1, position, keys.length - 1);
    }
    if (key.startsWith(this.#prefix)) hints[position] = hintOf(key, this.#prefix.length);
    else this.#rehint();
  }

  remove(position: number): void {
    this.keys.splice(position, 1);
    this.slots.splice(position, 1);
    this.#hints.copyWithin(position, position + 1, this.keys.length + 1);
  }

  /** Takes the keys from `position` on out; gives them and their slots. */
  cut(position: number): { readonly keys: string[]; readonly slots: number[] } {
    const keys = this.keys.splice(position);
    const slots = this.slots.splice(position);
    this.#rehint();
    return { keys, slots };
  }

  /** Takes over all of the block behind this one. */
  absorb(next: KeyBlock): void {
    for (const key of next.keys) this.keys.push(key);
    for (const slot of next.slots) this.slots.push(slot);
    this.live += next.live;
    this.changedMain = Math.max(this.changedMain, next.changedMain);
    this.#rehint();
  }

  #rehint(): void {
    const { keys } = this;
    if (keys.length === 0) return;
    this.#prefix = commonPrefix(keys[0]!, keys[keys.length - 1]!);
    for (let i = 0; i < keys.length; i++) {
      this.#hints[i] = hintOf(keys[i]!, this.#prefix.length);
    }
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
