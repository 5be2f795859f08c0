// Reads a bbolt file of which nothing is believed: every page is checked before it is used, each is
// visited at most once, keys must ascend throughout and stay within what the branch above says, and
// nothing is allocated by a number in the file before the file is known to hold so much. What is wrong
// comes back as a line that names the page.
import { compareBytes, utf8Decode } from "@quorate/base";
import {
  bucketFlag,
  bucketHeaderBytes,
  elementBytes,
  getU64,
  pageBytesMax,
  pageBytesMin,
  pageHeaderBytes,
  PageKind,
  readMetaPage,
  readPageHeader,
  viewOf,
} from "./page.ts";
import type { Meta, PageHeader } from "./page.ts";
import { keyBytesMax } from "./tree-writer.ts";

/** Positional reads of a file, or of a part of one. */
export interface BoltSource {
  readonly bytes: number;
  /** Fewer bytes than asked for: it could not be read so far. */
  read(offset: number, length: number): Uint8Array;
}

/** Why a file cannot be read. */
export class BoltDamage {
  readonly what: string;

  constructor(what: string) {
    this.what = what;
  }
}

export interface BoltRow {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
  readonly isBucket: boolean;
}

/** Deeper than any file can be: with two elements a page it would have 2^64 leaves. */
const levelsMax = 64;
/** etcd makes about ten. */
const bucketsMax = 4096;
/** Far above any request that etcd takes: a larger one is damage, and is not allocated. */
const valueBytesMax = 268_435_456;
/** bbolt tries page sizes up to here for the second meta page. */
const metaPlacesMax = 15;

export class BoltReader {
  readonly meta: Meta;
  readonly #source: BoltSource;
  /** One bit a page: it was part of a tree already. */
  readonly #seen: Uint8Array;

  constructor(source: BoltSource, meta: Meta) {
    this.meta = meta;
    this.#source = source;
    this.#seen = new Uint8Array(Math.ceil(meta.pages / 8));
  }

  /** Names and contents of the buckets, in order; each can be walked once. */
  buckets(): Map<string, BoltCursor> | BoltDamage {
    const found = new Map<string, BoltCursor>();
    const root = new BoltCursor(this.#walked(), this.meta.root, null, "the root bucket");
    for (;;) {
      const row = root.next();
      if (row === null) return found;
      if (row instanceof BoltDamage) return row;
      if (found.size === bucketsMax) return new BoltDamage(`more than ${bucketsMax} buckets`);
      const name = utf8Decode(row.key);
      if (!row.isBucket) {
        return new BoltDamage("the root bucket holds something that is not a bucket");
      }
      const cursor = this.#bucket(name, row.value);
      if (cursor instanceof BoltDamage) return cursor;
      found.set(name, cursor);
    }
  }

  #bucket(name: string, value: Uint8Array): BoltCursor | BoltDamage {
    const where = `bucket "${name}"`;
    if (value.length < bucketHeaderBytes) return new BoltDamage(`${where}: its header is cut`);
    const root = getU64(viewOf(value), 0);
    const inline = root === 0 ? value.subarray(bucketHeaderBytes) : null;
    return new BoltCursor(this.#walked(), root, inline, where);
  }

  #walked(): WalkedFile {
    return { source: this.#source, meta: this.meta, take: (id, count) => this.#take(id, count) };
  }

  /** False: one of them was taken before. */
  #take(id: number, count: number): boolean {
    for (let page = id; page < id + count; page++) {
      const bit = 1 << (page & 7);
      const at = page >>> 3;
      if ((this.#seen[at]! & bit) !== 0) return false;
      this.#seen[at]! |= bit;
    }
    return true;
  }
}

/** By the meta page with the newest transaction of those that are whole. */
export function openBolt(source: BoltSource): BoltReader | BoltDamage {
  const first = readMetaPage(source.read(0, pageHeaderBytes + metaReadBytes));
  const problem = typeof first === "string" ? first : metaProblem(first, source.bytes);
  const second = secondMeta(source, typeof first === "string" ? null : first.pageBytes);
  const metas = [
    ...(problem === null ? [first as Meta] : []),
    ...(second === null ? [] : [second]),
  ];
  const newest = metas.sort((a, b) => b.txid - a.txid)[0];
  if (newest === undefined) {
    return new BoltDamage(`meta page 0: ${problem}; nor is meta page 1 whole`);
  }
  return new BoltReader(source, newest);
}

const metaReadBytes = 64;

/** Where it stands depends on the page size, which only a whole first one says. */
function secondMeta(source: BoltSource, pageBytes: number | null): Meta | null {
  const places = Array.from({ length: metaPlacesMax }, (_, at) => 1024 * 2 ** at);
  for (const place of pageBytes === null ? places : [pageBytes]) {
    if (place + pageHeaderBytes + metaReadBytes > source.bytes) return null;
    const meta = readMetaPage(source.read(place, pageHeaderBytes + metaReadBytes));
    if (typeof meta === "string" || meta.pageBytes !== place) continue;
    if (metaProblem(meta, source.bytes) === null) return meta;
  }
  return null;
}

function metaProblem(meta: Meta, fileBytes: number): string | null {
  const { pageBytes, pages, root } = meta;
  const isPower = (pageBytes & (pageBytes - 1)) === 0;
  if (pageBytes < pageBytesMin || pageBytes > pageBytesMax || !isPower) {
    return `pages of ${pageBytes} bytes`;
  }
  if (pages * pageBytes > fileBytes) {
    return `the file has ${fileBytes} bytes, ${pages} pages of ${pageBytes} are in use: it is cut`;
  }
  return root < 2 || root >= pages ? `the root bucket is said to be in page ${root}` : null;
}

interface WalkedFile {
  readonly source: BoltSource;
  readonly meta: Meta;
  readonly take: (id: number, count: number) => boolean;
}

/** A page on the way down to the present row. */
class Level {
  readonly header: PageHeader;
  /** Header and elements of the page; `data` reads the rest. */
  readonly view: DataView;
  /** First byte behind the elements, and behind the page. */
  readonly dataAt: number;
  readonly end: number;
  readonly data: (at: number, length: number) => Uint8Array;
  /** Every key here is below it; null: no bound. */
  readonly below: Uint8Array | null;
  next: number;
  /** Of the keys and values so far. Invariant: dataAt + dataBytes ≤ end, or elements overlap. */
  dataBytes: number;

  constructor(
    header: PageHeader,
    view: DataView,
    end: number,
    data: (at: number, length: number) => Uint8Array,
    below: Uint8Array | null,
  ) {
    this.header = header;
    this.view = view;
    this.dataAt = pageHeaderBytes + header.count * elementBytes;
    this.end = end;
    this.data = data;
    this.below = below;
    this.next = 0;
    this.dataBytes = 0;
  }

  /** False: elements share bytes, and a small page could give rows without end. */
  takes(bytes: number): boolean {
    this.dataBytes += bytes;
    return this.dataAt + this.dataBytes <= this.end;
  }
}

/** The rows of a bucket in order of their keys. After damage, or the end, it gives that for ever. */
export class BoltCursor {
  readonly #file: WalkedFile;
  readonly #where: string;
  readonly #levels: Level[];
  /** Opened with the first row: a bucket that nobody reads costs nothing. */
  #root: { readonly page: number; readonly inline: Uint8Array | null } | null;
  #lastKey: Uint8Array | null;
  #ended: BoltDamage | null;

  constructor(file: WalkedFile, page: number, inline: Uint8Array | null, where: string) {
    this.#file = file;
    this.#where = where;
    this.#levels = [];
    this.#root = { page, inline };
    this.#lastKey = null;
    this.#ended = null;
  }

  next(): BoltRow | BoltDamage | null {
    if (this.#ended !== null) return this.#ended;
    const row = this.#next();
    if (row instanceof BoltDamage) this.#ended = new BoltDamage(`${this.#where}: ${row.what}`);
    return this.#ended ?? row;
  }

  #next(): BoltRow | BoltDamage | null {
    const root = this.#root;
    if (root !== null) {
      this.#root = null;
      const level = root.inline === null ? this.#open(root.page, null) : inlineLevel(root.inline);
      if (level instanceof BoltDamage) return level;
      this.#levels.push(level);
    }
    for (let level = this.#levels.at(-1); level !== undefined; level = this.#levels.at(-1)) {
      if (level.next === level.header.count) {
        this.#levels.pop();
        continue;
      }
      const at = level.next;
      level.next += 1;
      if (level.header.kind === PageKind.Leaf) return this.#row(level, at);
      const below = this.#descend(level, at);
      if (below !== null) return below;
    }
    return null;
  }

  #row(level: Level, at: number): BoltRow | BoltDamage {
    const element = pageHeaderBytes + at * elementBytes;
    const { view, header } = level;
    const keyAt = element + view.getUint32(element + 4, true);
    const keyBytes = view.getUint32(element + 8, true);
    const valueBytes = view.getUint32(element + 12, true);
    if (valueBytes > valueBytesMax) {
      return new BoltDamage(`page ${header.id}: a value of ${valueBytes} bytes`);
    }
    const key = this.#key(level, keyAt, keyBytes, valueBytes);
    if (key instanceof BoltDamage) return key;
    if (!level.takes(keyBytes + valueBytes)) return overlapping(header);
    const last = this.#lastKey;
    if (last !== null && compareBytes(last, key) >= 0) {
      return new BoltDamage(`page ${header.id}: key ${at} is not above the one before it`);
    }
    if (level.below !== null && compareBytes(key, level.below) >= 0) {
      return new BoltDamage(`page ${header.id}: key ${at} belongs behind this page`);
    }
    this.#lastKey = key;
    const value = level.data(keyAt + keyBytes, valueBytes);
    if (value.length !== valueBytes) return new BoltDamage(`page ${header.id}: cannot be read`);
    return { key, value, isBucket: (view.getUint32(element, true) & bucketFlag) !== 0 };
  }

  /** Null: the page below is open now. */
  #descend(level: Level, at: number): BoltDamage | null {
    const { header, view } = level;
    const element = pageHeaderBytes + at * elementBytes;
    const key = this.#branchKey(level, at);
    if (key instanceof BoltDamage) return key;
    if (!level.takes(key.length)) return overlapping(header);
    const above = at + 1 < header.count ? this.#branchKey(level, at + 1) : level.below;
    if (above instanceof BoltDamage) return above;
    if (above !== null && compareBytes(key, above) >= 0) {
      return new BoltDamage(`page ${header.id}: key ${at} is not below the next one`);
    }
    if (this.#lastKey !== null && compareBytes(this.#lastKey, key) >= 0) {
      return new BoltDamage(`page ${header.id}: key ${at} is not above what stands before it`);
    }
    if (this.#levels.length >= levelsMax) {
      return new BoltDamage(`page ${header.id}: more than ${levelsMax} levels`);
    }
    const below = this.#open(getU64(view, element + 8), above);
    if (below instanceof BoltDamage) return below;
    this.#levels.push(below);
    return null;
  }

  #branchKey(level: Level, at: number): Uint8Array | BoltDamage {
    const element = pageHeaderBytes + at * elementBytes;
    const keyAt = element + level.view.getUint32(element, true);
    return this.#key(level, keyAt, level.view.getUint32(element + 4, true), 0);
  }

  #key(
    { header, dataAt, end, data }: Level,
    keyAt: number,
    keyBytes: number,
    valueBytes: number,
  ): Uint8Array | BoltDamage {
    if (keyBytes < 1 || keyBytes > keyBytesMax) {
      return new BoltDamage(`page ${header.id}: a key of ${keyBytes} bytes`);
    }
    if (keyAt < dataAt || keyAt + keyBytes + valueBytes > end) {
      return new BoltDamage(`page ${header.id}: an element reaches out of it`);
    }
    const key = data(keyAt, keyBytes);
    return key.length === keyBytes ? key : new BoltDamage(`page ${header.id}: cannot be read`);
  }

  #open(id: number, below: Uint8Array | null): Level | BoltDamage {
    const { source, meta, take } = this.#file;
    if (id < 2 || id >= meta.pages) {
      return new BoltDamage(`page ${id} is referred to, the file has ${meta.pages}`);
    }
    const start = id * meta.pageBytes;
    const head = source.read(start, pageHeaderBytes);
    if (head.length < pageHeaderBytes) return new BoltDamage(`page ${id}: cannot be read`);
    const header = readPageHeader(viewOf(head));
    const problem = pageProblem(header, id, meta);
    if (problem !== null) return new BoltDamage(`page ${id}: ${problem}`);
    if (!take(id, 1 + header.overflow)) {
      return new BoltDamage(`page ${id}: referred to more than once`);
    }
    const elements = source.read(start, pageHeaderBytes + header.count * elementBytes);
    if (elements.length < pageHeaderBytes + header.count * elementBytes) {
      return new BoltDamage(`page ${id}: cannot be read`);
    }
    const end = (1 + header.overflow) * meta.pageBytes;
    const page = end <= pageBytesMax ? source.read(start, end) : null;
    const data = (at: number, length: number): Uint8Array =>
      page === null ? source.read(start + at, length) : page.subarray(at, at + length);
    return new Level(header, viewOf(elements), end, data, below);
  }
}

function overlapping({ id }: PageHeader): BoltDamage {
  return new BoltDamage(`page ${id}: its elements share bytes`);
}

/** Null: such a page may be part of a tree. */
function pageProblem(header: PageHeader, id: number, meta: Meta): string | null {
  const { kind, count, overflow } = header;
  if (header.id !== id) return `says that it is page ${header.id}`;
  if (kind !== PageKind.Branch && kind !== PageKind.Leaf) return `of kind ${kind} in a tree`;
  if (id + overflow >= meta.pages) return `${overflow} pages behind it, beyond the end of the file`;
  if (pageHeaderBytes + count * elementBytes > (1 + overflow) * meta.pageBytes) {
    return `${count} elements do not fit into it`;
  }
  return kind === PageKind.Branch && count === 0 ? "a branch without elements" : null;
}

function inlineLevel(page: Uint8Array): Level | BoltDamage {
  if (page.length < pageHeaderBytes) return new BoltDamage("cut where it stands in its parent");
  const header = readPageHeader(viewOf(page));
  const fits = pageHeaderBytes + header.count * elementBytes <= page.length;
  if (header.kind !== PageKind.Leaf || !fits) {
    return new BoltDamage("no leaf where it stands in its parent");
  }
  const data = (at: number, length: number): Uint8Array => page.subarray(at, at + length);
  return new Level(header, viewOf(page), page.length, data, null);
}
