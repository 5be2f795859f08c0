// What the index knows of each key, in columns of typed arrays: no object a key, so that a million
// keys cost the garbage collector nothing but their strings. Slots are numbered, reused after
// `free`, and live in chunks, so that growing copies no more than the first one. 56 bytes a key and
// its string.
import { assert } from "@quorate/base";

const CHUNK_BITS = 14;
const CHUNK_SLOTS = 1 << CHUNK_BITS;
const CHUNK_MASK = CHUNK_SLOTS - 1;
/** The first chunk starts with so many and doubles: a small store takes little room. */
const FIRST_SLOTS = 256;

// A record is 56 bytes in one buffer, so that it costs one or two cache lines: five doubles, then
// four words.
const NUMBERS = 7;
const MAIN = 0;
const REF = 1;
const CREATE = 2;
const VERSION = 3;
const HEAD = 4;

const WORDS = 2 * NUMBERS;
const DIGEST_LOW = 10;
const DIGEST_HIGH = 11;
const VALUE_BYTES = 12;
const LEASE = 13;

export class KeySlots {
  #numbers: Float64Array[];
  #words: Uint32Array[];
  #keys: string[][];
  #free: number[];
  #used: number;

  constructor() {
    this.#numbers = [];
    this.#words = [];
    this.#keys = [];
    this.#free = [];
    this.#used = 0;
  }

  /** A slot for a key without any version. */
  allocate(key: string): number {
    const reused = this.#free.pop();
    const slot = reused ?? this.#used++;
    if (slot >>> CHUNK_BITS === this.#numbers.length) {
      this.#keys.push([]);
      this.#setChunk(slot >>> CHUNK_BITS, slot === 0 ? FIRST_SLOTS : CHUNK_SLOTS);
    } else if (slot < CHUNK_SLOTS && slot * NUMBERS === this.#numbers[0]!.length) {
      this.#setChunk(0, 2 * slot);
    }
    const keys = this.#keys[slot >>> CHUNK_BITS]!;
    if (reused === undefined) keys.push(key);
    else keys[slot & CHUNK_MASK] = key;
    this.kill(slot);
    this.setHead(slot, -1);
    return slot;
  }

  #setChunk(number: number, slots: number): void {
    const numbers = new Float64Array(slots * NUMBERS);
    numbers.set(this.#numbers[number] ?? []);
    this.#numbers[number] = numbers;
    this.#words[number] = new Uint32Array(numbers.buffer);
  }

  free(slot: number): void {
    assert(this.main(slot) === 0, "KeySlots.free: the key is alive");
    this.#keys[slot >>> CHUNK_BITS]![slot & CHUNK_MASK] = "";
    this.#free.push(slot);
  }

  key(slot: number): string {
    return this.#keys[slot >>> CHUNK_BITS]![slot & CHUNK_MASK]!;
  }

  /** Main revision of the live row; 0: the key is dead. */
  main(slot: number): number {
    return this.#numbers[slot >>> CHUNK_BITS]![(slot & CHUNK_MASK) * NUMBERS + MAIN]!;
  }

  /** Of the live row, as the next three. */
  ref(slot: number): number {
    return this.#numbers[slot >>> CHUNK_BITS]![(slot & CHUNK_MASK) * NUMBERS + REF]!;
  }

  createRevision(slot: number): number {
    return this.#numbers[slot >>> CHUNK_BITS]![(slot & CHUNK_MASK) * NUMBERS + CREATE]!;
  }

  version(slot: number): number {
    return this.#numbers[slot >>> CHUNK_BITS]![(slot & CHUNK_MASK) * NUMBERS + VERSION]!;
  }

  valueBytes(slot: number): number {
    return this.#words[slot >>> CHUNK_BITS]![(slot & CHUNK_MASK) * WORDS + VALUE_BYTES]!;
  }

  digestLow(slot: number): number {
    return this.#words[slot >>> CHUNK_BITS]![(slot & CHUNK_MASK) * WORDS + DIGEST_LOW]!;
  }

  digestHigh(slot: number): number {
    return this.#words[slot >>> CHUNK_BITS]![(slot & CHUNK_MASK) * WORDS + DIGEST_HIGH]!;
  }

  /** The number by which the table of leases knows the live row's; 0: it has none. */
  lease(slot: number): number {
    return this.#words[slot >>> CHUNK_BITS]![(slot & CHUNK_MASK) * WORDS + LEASE]!;
  }

  setLease(slot: number, number: number): void {
    this.#words[slot >>> CHUNK_BITS]![(slot & CHUNK_MASK) * WORDS + LEASE] = number;
  }

  /** Newest superseded version in VersionQueue, or one that is gone from there, or -1. */
  head(slot: number): number {
    return this.#numbers[slot >>> CHUNK_BITS]![(slot & CHUNK_MASK) * NUMBERS + HEAD]!;
  }

  setHead(slot: number, sequence: number): void {
    this.#numbers[slot >>> CHUNK_BITS]![(slot & CHUNK_MASK) * NUMBERS + HEAD] = sequence;
  }

  setLive(slot: number, main: number, ref: number, createRevision: number, version: number): void {
    const numbers = this.#numbers[slot >>> CHUNK_BITS]!;
    const at = (slot & CHUNK_MASK) * NUMBERS;
    numbers[at + MAIN] = main;
    numbers[at + REF] = ref;
    numbers[at + CREATE] = createRevision;
    numbers[at + VERSION] = version;
  }

  setContent(slot: number, digestLow: number, digestHigh: number, valueBytes: number): void {
    const words = this.#words[slot >>> CHUNK_BITS]!;
    const at = (slot & CHUNK_MASK) * WORDS;
    words[at + DIGEST_LOW] = digestLow;
    words[at + DIGEST_HIGH] = digestHigh;
    words[at + VALUE_BYTES] = valueBytes;
  }

  /** No live row any more. */
  kill(slot: number): void {
    this.setLive(slot, 0, 0, 0, 0);
    this.setContent(slot, 0, 0, 0);
    this.setLease(slot, 0);
  }
}
