// The key index against a naive twin, over many blocks of keys: lookups, ranges, counts and limits
// at every readable revision, compaction, and that what is compacted away leaves nothing behind.
import { deepEqual, equal, ok } from "node:assert/strict";
import { test } from "node:test";
import { Prng } from "@quorate/base";
import { KeyIndex, noRef } from "./key-index.ts";

interface Version {
  readonly main: number;
  readonly ref: number;
  readonly tombstone: boolean;
}

class Twin {
  readonly versions = new Map<string, Version[]>();
  compactRevision = -1;

  add(key: string, version: Version): void {
    const versions = this.versions.get(key);
    if (versions === undefined) this.versions.set(key, [version]);
    else versions.push(version);
  }

  at(key: string, revision: number): number {
    const version = this.versions.get(key)?.findLast(({ main }) => main <= revision);
    return version === undefined || version.tombstone ? noRef : version.ref;
  }

  range(key: string, end: string | null, revision: number): number[] {
    return [...this.versions.keys()]
      .filter((other) => other >= key && (end === null || other < end))
      .sort((a, b) => (a < b ? -1 : 1))
      .map((other) => this.at(other, revision))
      .filter((ref) => ref !== noRef);
  }

  /** Keys with a version that some read at or above the compaction revision can reach. */
  keysReachable(): number {
    let count = 0;
    for (const [key, versions] of this.versions) {
      const later = versions.some(({ main }) => main > this.compactRevision);
      if (later || this.at(key, this.compactRevision) !== noRef) count++;
    }
    return count;
  }
}

class Pair {
  readonly random: Prng;
  readonly index = new KeyIndex();
  readonly twin = new Twin();
  readonly dead: number[] = [];
  main = 1;
  ref = 0;

  constructor(seed: string) {
    this.random = new Prng(seed);
  }

  put(key: string): void {
    const ref = this.ref++;
    this.index.put(key, this.main, ref, 1, 1);
    this.twin.add(key, { main: this.main, ref, tombstone: false });
  }

  delete(key: string): void {
    const slot = this.index.findLive(key);
    if (slot < 0) return;
    const ref = this.ref++;
    this.index.delete(slot, this.main, ref);
    this.twin.add(key, { main: this.main, ref, tombstone: true });
  }

  compact(revision: number, versionsMax: number): void {
    this.twin.compactRevision = revision;
    for (let i = 0; i < versionsMax; i++) {
      if (!this.index.compactOne(revision, (ref) => this.dead.push(ref))) return;
    }
  }

  compareRange(key: string, end: string | null, revision: number): void {
    const expected = this.twin.range(key, end, revision);
    for (const limit of [0, 1, 10, Infinity]) {
      const refs: number[] = [];
      equal(this.index.collect(key, end, revision, limit, refs), expected.length);
      deepEqual(refs, expected.slice(0, limit));
    }
    if (revision >= this.main) {
      deepEqual(
        this.index.collectLive(key, end).map((slot) => this.index.slots.ref(slot)),
        expected,
      );
    }
  }
}

/** Keys that are prefixes of each other, with chars 0 and 255: equal hints, and none at all. */
function nested(random: Prng): string {
  let key = random.pick(["", "a", "/long/prefix/of/many/", "/long/prefix/of/some/"]);
  const length = 1 + random.below(9);
  for (let i = 0; i < length; i++) key += random.pick(["\0", "a", "b", "\xff"]);
  return key;
}

for (const [pattern, keyOf] of [
  ["random", (random: Prng) => random.below(6000).toString(36)],
  ["nested", (random: Prng) => nested(random)],
  ["ascending", (_: Prng, i: number) => String(1e6 + Math.floor(i / 2))],
  ["descending", (_: Prng, i: number) => String(1e6 - Math.floor(i / 2))],
] as const) {
  test(`${pattern} keys: every read at every readable revision is the twin's`, () => {
    const pair = new Pair(`key-index ${pattern}`);
    const { random, index, twin } = pair;
    for (let i = 0; i < 20_000; i++) {
      if (random.chance(0.7)) pair.main++;
      const key = keyOf(random, i);
      if (random.chance(0.3)) pair.delete(key);
      else pair.put(key);
      if (i % 5000 === 3000) pair.compact(pair.main - 500, 1e6);
      if (i % 500 !== 0) continue;
      pair.compact(Math.max(twin.compactRevision, pair.main - 3000), 100);
      const low = Math.max(1, twin.compactRevision);
      const revision = random.pick([pair.main, low + random.below(pair.main - low + 1)]);
      const [a, b] = [keyOf(random, random.below(i + 1)), keyOf(random, random.below(i + 1))];
      pair.compareRange(a, b, revision);
      pair.compareRange(a, null, revision);
      pair.compareRange("", null, revision);
      const slot = index.find(a);
      equal(slot < 0 ? noRef : index.refAt(slot, revision), twin.at(a, revision));
    }
    // Everything dead and compacted: nothing is left.
    pair.main++;
    for (const key of twin.versions.keys()) pair.delete(key);
    equal(index.collect("", null, pair.main, 0, []), 0);
    pair.compact(pair.main, 1e6);
    equal(twin.keysReachable(), 0);
    deepEqual([index.size, index.superseded], [0, 0]);
    equal(new Set(pair.dead).size, pair.ref, "each version died once");
    // And the slots are used again.
    const before = pair.ref;
    pair.main++;
    pair.put("again");
    ok(index.find("again") < before);
  });
}

/** What one step drops, or `noRef`. */
function compactOne(index: KeyIndex, revision: number): number {
  let dropped = noRef;
  index.compactOne(revision, (ref) => (dropped = ref));
  return dropped;
}

test("the worked example of the header holds", () => {
  const index = new KeyIndex();
  index.put("a", 2, 20, 2, 1);
  index.put("a", 5, 50, 2, 2);
  index.delete(index.findLive("a"), 7, 70);
  index.put("a", 9, 90, 9, 1);
  const slot = index.find("a");
  const at = (revision: number): number => index.refAt(slot, revision);
  deepEqual([1, 2, 4, 5, 6, 7, 8, 9, 10].map(at), [-1, 20, 20, 50, 50, -1, -1, 90, 90]);
  equal(compactOne(index, 4), noRef);
  equal(compactOne(index, 5), 20);
  equal(compactOne(index, 6), noRef);
  deepEqual([5, 6].map(at), [50, 50]);
  deepEqual([compactOne(index, 7), compactOne(index, 7), compactOne(index, 9)], [50, 70, noRef]);
  equal(index.size, 1);
});

test("put, delete and put in one revision: the last counts, and both before it are history", () => {
  const index = new KeyIndex();
  index.put("a", 2, 0, 2, 1);
  index.put("a", 3, 1, 2, 2);
  index.delete(index.findLive("a"), 3, 2);
  const slot = index.find("a");
  equal(index.refAt(slot, 3), noRef);
  equal(index.refAt(slot, 2), 0);
  index.put("a", 3, 3, 3, 1);
  deepEqual([index.refAt(slot, 3), index.refAt(slot, 2)], [3, 0]);
  deepEqual([compactOne(index, 2), compactOne(index, 3)], [noRef, 0]);
  deepEqual([compactOne(index, 3), compactOne(index, 3), compactOne(index, 3)], [1, 2, noRef]);
  equal(index.refAt(slot, 3), 3);
});

test("a key goes with its tombstone only if it has not come back", () => {
  const index = new KeyIndex();
  index.put("a", 2, 0, 2, 1);
  index.put("b", 3, 1, 3, 1);
  index.delete(index.findLive("a"), 4, 2);
  index.delete(index.findLive("b"), 5, 3);
  index.put("b", 6, 4, 6, 1);
  for (let i = 0; i < 4; i++) ok(compactOne(index, 6) !== noRef);
  equal(index.find("a"), -1);
  equal(index.refAt(index.find("b"), 6), 4);
  equal(index.size, 1);
});
