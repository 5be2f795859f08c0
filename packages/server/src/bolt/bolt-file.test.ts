// What the writer writes, the reader reads: every bucket, key and value, whatever their sizes. Method:
// random buckets and their dumb twin, the list that they were made from.
import { deepStrictEqual as deepEqual, strictEqual as equal, ok, throws } from "node:assert";
import test from "node:test";
import { equalBytes, Prng, utf8Encode } from "@quorate/base";
import type { Bucket } from "./file-writer.ts";
import { pageBytes, PageKind, readPageHeader, viewOf } from "./page.ts";
import {
  CountingSource,
  randomBytes,
  randomFile,
  readAll,
  writeFile,
} from "./testing/bolt-files.ts";
import type { Sizes } from "./testing/bolt-files.ts";
import { TreeWriter } from "./tree-writer.ts";

function checkEqual(found: readonly Bucket[], written: readonly Bucket[]): void {
  equal(found.length, written.length);
  for (const { name, entries } of written) {
    const same = found.find((bucket) => bucket.name === name)?.entries ?? [];
    equal(same.length, entries.length, name);
    entries.forEach(([key, value], at) => {
      const [foundKey, foundValue] = same[at]!;
      ok(equalBytes(foundKey, key) && equalBytes(foundValue, value), `${name}: entry ${at}`);
    });
  }
}

test("random files come back whole", () => {
  const shapes: readonly Sizes[] = [
    { entries: 5, keyBytes: 20, valueBytes: 20 },
    { entries: 3000, keyBytes: 30, valueBytes: 200 },
    { entries: 200, keyBytes: 30, valueBytes: 9000 },
    { entries: 300, keyBytes: 9000, valueBytes: 30 },
    { entries: 10, keyBytes: 30_000, valueBytes: 300_000 },
  ];
  shapes.forEach((sizes, shape) => {
    for (let n = 0; n < 6; n++) {
      const { buckets, bytes } = randomFile(`file ${shape} ${n}`, sizes);
      equal(bytes.length % pageBytes, 0);
      const source = new CountingSource(bytes);
      const found = readAll(source);
      ok(Array.isArray(found));
      checkEqual(found, buckets);
      ok(source.bytesRead < 3 * bytes.length + 10_000, "each page is read once, and its head");
    }
  });
});

test("every page of a file belongs to it, and says its own id", () => {
  const { bytes } = randomFile("pages", { entries: 3000, keyBytes: 30, valueBytes: 6000 });
  const kinds = new Map<number, number>();
  for (let at = 0; at < bytes.length;) {
    const header = readPageHeader(viewOf(bytes.subarray(at)));
    equal(header.id, at / pageBytes);
    kinds.set(header.kind, (kinds.get(header.kind) ?? 0) + 1);
    at += (1 + header.overflow) * pageBytes;
  }
  equal(kinds.get(PageKind.Meta), 2);
  equal(kinds.get(PageKind.Freelist), 1);
  ok(kinds.get(PageKind.Branch)! > 3 && kinds.get(PageKind.Leaf)! > 100);
  equal(kinds.size, 4);
});

test("levels are as few as pages allow, and of each one page is held", () => {
  const random = new Prng("levels");
  let pages = 0;
  const tree = new TreeWriter(3, (page) => (pages += page.length / pageBytes));
  const measured = new TreeWriter(3, null);
  for (let n = 0; n < 60_000; n++) {
    const key = new Uint8Array(17);
    new DataView(key.buffer).setUint32(4, n);
    const value = randomBytes(random, 40);
    tree.add(key, value);
    measured.measure(key, value.length);
  }
  const root = tree.finish();
  equal(measured.finish(), root);
  equal(measured.nextPage, tree.nextPage);
  equal(tree.nextPage, 3 + pages);
  // 55 rows a leaf, 123 children a branch: 1091 leaves, 9 branches, a root.
  equal(pages, 1091 + 9 + 1);
  equal(root, 3 + pages - 1, "the root comes last");
});

test("keys that do not ascend are a bug of the caller", () => {
  const tree = new TreeWriter(3, null);
  tree.add(utf8Encode("b"), utf8Encode(""));
  throws(() => tree.add(utf8Encode("b"), utf8Encode("")), /ascend/);
  throws(() => tree.add(utf8Encode("a"), utf8Encode("")), /ascend/);
  throws(() => tree.add(utf8Encode(""), utf8Encode("")), /a key of a bbolt file/);
});

test("a streamed bucket without rows is an empty one", () => {
  const bytes = writeFile([{ name: "key", entries: [] }]);
  equal(bytes.length, 4 * pageBytes);
  deepEqual(readAll(new CountingSource(bytes)), [{ name: "key", entries: [] }]);
});
