// A damaged or hostile file is an outcome: a line that names the page, never a crash, an endless walk or
// an allocation beyond the file's size. Method: files that were cut, flipped and forged, read through a
// source that counts.
import { ok, strictEqual as equal } from "node:assert";
import { match } from "node:assert/strict";
import test from "node:test";
import { Prng } from "@quorate/base";
import { fnv1a64, pageBytes, PageKind, readPageHeader, setU64, viewOf } from "./page.ts";
import { BoltDamage } from "./reader.ts";
import { CountingSource, randomFile, readAll } from "./testing/bolt-files.ts";

const sizes = { entries: 900, keyBytes: 30, valueBytes: 300 };
const { bytes: whole } = randomFile("damage", sizes);

/** A source may be asked for what stands there a few times over, and not for more. */
function read(bytes: Uint8Array): ReturnType<typeof readAll> {
  const source = new CountingSource(bytes);
  const found = readAll(source);
  ok(source.bytesRead <= 4 * bytes.length + 200_000, `${source.bytesRead} of ${bytes.length} read`);
  ok(source.largestRead <= Math.max(bytes.length, 65_536), `${source.largestRead} at once`);
  return found;
}

function damaged(bytes: Uint8Array, what: RegExp): void {
  const found = read(bytes);
  ok(found instanceof BoltDamage, `${what} was to be found`);
  match(found.what, what);
}

/** A copy with something changed. */
function changed(change: (bytes: Uint8Array, view: DataView) => void): Uint8Array {
  const bytes = whole.slice();
  change(bytes, viewOf(bytes));
  return bytes;
}

/** First page of the kind. */
function pageOf(kind: PageKind): number {
  for (let at = 0; at < whole.length;) {
    const header = readPageHeader(viewOf(whole.subarray(at)));
    if (header.kind === kind) return at;
    at += (1 + header.overflow) * pageBytes;
  }
  throw new Error("no such page");
}

const leaf = pageOf(PageKind.Leaf);
const branch = pageOf(PageKind.Branch);

/** Both meta pages say something else, with a valid checksum. */
function forged(at: number, value: number): Uint8Array {
  return changed((bytes) => {
    for (const page of [0, pageBytes]) {
      const body = bytes.subarray(page + 16, page + 80);
      const view = viewOf(body);
      if (at === 8) view.setUint32(at, value, true);
      else setU64(view, at, value);
      view.setBigUint64(56, fnv1a64(body.subarray(0, 56)), true);
    }
  });
}

test("a file that is cut anywhere", () => {
  for (let length = 0; length < whole.length; length += 1 + (length % 1777)) {
    const found = read(whole.slice(0, length));
    ok(found instanceof BoltDamage, `${length} bytes`);
    if (length > 2 * pageBytes) match(found.what, /it is cut/);
  }
});

test("a flipped byte anywhere: rows or damage, and no more", () => {
  const random = new Prng("flips");
  let found = 0;
  for (let n = 0; n < 3000; n++) {
    const at = n < 1500 ? random.below(whole.length) : leaf + random.below(16 + 20 * 16);
    const bytes = changed((copy) => (copy[at]! ^= 1 + random.below(255)));
    if (read(bytes) instanceof BoltDamage) found += 1;
  }
  ok(found > 300, `${found} were noticed`);
});

test("pages of rubbish: rows or damage, and no more", () => {
  const random = new Prng("rubbish");
  for (let n = 0; n < 500; n++) {
    const page = (2 + random.below(whole.length / pageBytes - 2)) * pageBytes;
    const bytes = changed((copy) => {
      const keeps = random.below(3) === 0 ? 0 : 16;
      const end = page + pageBytes;
      for (let at = page + keeps; at < end; at++) copy[at] = random.below(256);
    });
    read(bytes);
  }
});

test("no meta page is whole; one is enough", () => {
  damaged(
    changed((bytes) => {
      bytes[20]! ^= 1;
      bytes[pageBytes + 20]! ^= 1;
    }),
    /^meta page 0: version 3 is not known; nor is meta page 1 whole/,
  );
  damaged(new Uint8Array(whole.length), /^meta page 0: not the magic number of bbolt/);
  for (const page of [0, pageBytes]) {
    const found = read(changed((bytes) => (bytes[page + 40]! ^= 1)));
    ok(Array.isArray(found));
  }
});

test("numbers of the meta page that cannot be", () => {
  damaged(forged(8, 4097), /^meta page 0: pages of 4097 bytes/);
  damaged(forged(8, 1 << 30), /^meta page 0: pages of 1073741824 bytes/);
  damaged(forged(16, 2 ** 60), /^meta page 0: the root bucket is said to be in page/);
  damaged(forged(16, 1), /^meta page 0: the root bucket is said to be in page 1/);
  damaged(forged(40, 2 ** 50), /it is cut;/);
});

test("references that lead in circles, twice to a page, or out of the file", () => {
  const point = (to: number): Uint8Array =>
    changed((bytes) => setU64(viewOf(bytes), branch + 16 + 8, to));
  damaged(point(branch / pageBytes), /^bucket "\w+": page \d+: referred to more than once$/);
  const second = changed((_, view) => {
    setU64(view, branch + 16 + 16 + 8, view.getUint32(branch + 16 + 8, true));
  });
  damaged(second, /^bucket "\w+": page \d+: referred to more than once$/);
  damaged(point(2 ** 40), /^bucket "\w+": page 1099511627776 is referred to, the file has \d+$/);
  damaged(point(0), /^bucket "\w+": page 0 is referred to/);
  damaged(point(2), /^bucket "\w+": page 2: of kind 16 in a tree$/);
});

test("headers of pages that cannot be", () => {
  const header = (change: (view: DataView) => void): Uint8Array =>
    changed((bytes) => change(viewOf(bytes.subarray(leaf))));
  damaged(
    header((view) => view.setUint32(0, 77, true)),
    /: page \d+: says that it is page 77$/,
  );
  damaged(
    header((view) => view.setUint16(8, 3, true)),
    /: page \d+: of kind 3 in a tree$/,
  );
  damaged(
    header((view) => view.setUint16(10, 65_535, true)),
    /: page \d+: 65535 elements do not fit into it$/,
  );
  damaged(
    header((view) => view.setUint32(12, 2 ** 32 - 1, true)),
    /: page \d+: 4294967295 pages behind it, beyond the end of the file$/,
  );
});

test("elements that reach out of their page, are too large, or share bytes", () => {
  const element = (change: (view: DataView) => void): Uint8Array =>
    changed((bytes) => change(viewOf(bytes.subarray(leaf + 16))));
  damaged(
    element((view) => view.setUint32(4, 5000, true)),
    /an element reaches out of it$/,
  );
  damaged(
    element((view) => view.setUint32(4, 2, true)),
    /an element reaches out of it$/,
  );
  damaged(
    element((view) => view.setUint32(8, 0, true)),
    /a key of 0 bytes$/,
  );
  damaged(
    element((view) => view.setUint32(8, 40_000, true)),
    /a key of 40000 bytes$/,
  );
  damaged(
    element((view) => view.setUint32(12, 2 ** 32 - 1, true)),
    /a value of 4294967295 bytes$/,
  );
  // The first value covers those of all the others, which are within the page one by one.
  const rest = 4096 - 16 - viewOf(whole.subarray(leaf + 16)).getUint32(4, true) - 32;
  damaged(
    element((view) => view.setUint32(12, rest, true)),
    /its elements share bytes$/,
  );
});

test("keys out of order, within a page and against the branch above", () => {
  const keyAt = leaf + 16 + viewOf(whole.subarray(leaf + 16)).getUint32(4, true);
  damaged(
    changed((bytes) => (bytes[keyAt] = 255)),
    /: page \d+: key (?:0 belongs behind this page|1 is not above the one before it)$/,
  );
  equal(readPageHeader(viewOf(whole.subarray(branch))).count > 2, true);
  const branchKeyAt = branch + 32 + viewOf(whole.subarray(branch + 32)).getUint32(0, true);
  damaged(
    changed((bytes) => (bytes[branchKeyAt] = 0)),
    /: page \d+: key \d+ (?:is not below the next one|belongs behind this page)$/,
  );
});
