// bbolt files for tests: random buckets, the file that the writer makes of them, and a source that counts
// what is read of it, so that a test can tell a reader that goes round in circles.
import { compareBytes, concatBytes, latin1Decode, must, Prng } from "@quorate/base";
import { FileWriter } from "../file-writer.ts";
import type { Bucket, FileParts } from "../file-writer.ts";
import { BoltDamage, openBolt } from "../reader.ts";
import type { BoltSource } from "../reader.ts";
import type { BoltEntry } from "../tree-writer.ts";

export interface TestFile {
  readonly buckets: readonly Bucket[];
  readonly bytes: Uint8Array;
}

/** Sizes of keys and values below these. */
export interface Sizes {
  readonly entries: number;
  readonly keyBytes: number;
  readonly valueBytes: number;
}

export function randomEntries(random: Prng, sizes: Sizes): BoltEntry[] {
  const entries = new Map<string, BoltEntry>();
  const count = random.below(sizes.entries);
  while (entries.size < count) {
    const key = randomBytes(random, 1 + random.below(sizes.keyBytes));
    entries.set(latin1Decode(key), [key, randomBytes(random, random.below(sizes.valueBytes))]);
  }
  return [...entries.values()].sort(([a], [b]) => compareBytes(a, b));
}

export function randomBytes(random: Prng, length: number): Uint8Array {
  // One draw, then cheap numbers: what they are does not matter.
  let state = random.below(2 ** 32);
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length; at++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    bytes[at] = state >>> 24;
  }
  return bytes;
}

/** The first bucket is streamed, the others are not. */
export function writeFile(buckets: readonly Bucket[]): Uint8Array {
  const [streamed, ...others] = buckets;
  const { name, entries } = must(streamed, "a file has a bucket");
  const parts: FileParts = { buckets: others, streamed: name };
  const measuring = new FileWriter(parts, null, null);
  for (const [key, value] of entries) measuring.measure(key, value.length);
  const pages: Uint8Array[] = [];
  const writer = new FileWriter(parts, measuring.finish(), (page) => pages.push(page));
  for (const [key, value] of entries) writer.add(key, value);
  writer.finish();
  return concatBytes(pages);
}

export function randomFile(seed: string, sizes: Sizes): TestFile {
  const random = new Prng(seed);
  const names = ["key", "alarm", "lease", "meta", "members_removed"];
  const buckets = names.map((name) => ({ name, entries: randomEntries(random, sizes) }));
  return { buckets, bytes: writeFile(buckets) };
}

export class CountingSource implements BoltSource {
  readonly #content: Uint8Array;
  bytesRead: number;
  largestRead: number;

  constructor(content: Uint8Array) {
    this.#content = content;
    this.bytesRead = 0;
    this.largestRead = 0;
  }

  get bytes(): number {
    return this.#content.length;
  }

  read(offset: number, length: number): Uint8Array {
    this.bytesRead += length;
    this.largestRead = Math.max(this.largestRead, length);
    return this.#content.slice(offset, offset + length);
  }
}

/** Everything that the file holds, or what is wrong with it. */
export function readAll(source: BoltSource): Bucket[] | BoltDamage {
  const reader = openBolt(source);
  if (reader instanceof BoltDamage) return reader;
  const found = reader.buckets();
  if (found instanceof BoltDamage) return found;
  const buckets: Bucket[] = [];
  for (const [name, cursor] of found) {
    const entries: BoltEntry[] = [];
    for (let row = cursor.next(); row !== null; row = cursor.next()) {
      if (row instanceof BoltDamage) return row;
      entries.push([row.key, row.value]);
    }
    buckets.push({ name, entries });
  }
  return buckets;
}
