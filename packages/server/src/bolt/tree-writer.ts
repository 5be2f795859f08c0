// Writes one bucket of a bbolt file as a B+ tree, front to back: leaves in the order of their keys, a
// branch page as soon as it is full. Of each level one page is held, whatever the size of the bucket.
// Without a sink it only measures: the same pages with the same ids, no bytes.
import { assert, compareBytes, must } from "@quorate/base";
import {
  elementBytes,
  pageBytes,
  pageHeaderBytes,
  PageKind,
  setU64,
  viewOf,
  writePageHeader,
} from "./page.ts";
import type { PageHeader } from "./page.ts";

/** Key and value. */
export type BoltEntry = readonly [Uint8Array, Uint8Array];

/** Takes whole pages, in the order of their ids. The bytes are its own. */
export type PageSink = (pages: Uint8Array) => void;

/** bbolt's own bounds. */
export const keyBytesMax = 32_768;
/** Fewer in a branch page, and the levels would never become one page. */
const branchElementsMin = 2;

interface Element {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
  /** Of a leaf: bbolt's flags; of a branch: the page below. */
  readonly tag: number;
}

/** A page that is being filled. */
class OpenPage {
  elements: Element[];
  /** Pages of its level that were written before. */
  written: number;
  #usedBytes: number;
  #count: number;

  constructor() {
    this.elements = [];
    this.written = 0;
    this.#usedBytes = pageHeaderBytes;
    this.#count = 0;
  }

  get count(): number {
    return this.#count;
  }

  /** Pages that it takes: more than one where a single element is larger than one. */
  get pages(): number {
    return Math.max(1, Math.ceil(this.#usedBytes / pageBytes));
  }

  /** What does not fit gets a page of its own; behind it, its last page is filled up. */
  hasRoom(bytes: number, elementsMin: number): boolean {
    if (this.#count < elementsMin) return true;
    return this.#usedBytes + elementBytes + bytes <= this.pages * pageBytes;
  }

  put(element: Element | null, bytes: number): void {
    if (element !== null) this.elements.push(element);
    this.#usedBytes += elementBytes + bytes;
    this.#count += 1;
  }

  clear(): void {
    this.elements = [];
    this.written += 1;
    this.#usedBytes = pageHeaderBytes;
    this.#count = 0;
  }
}

export class TreeWriter {
  readonly #sink: PageSink | null;
  #nextPage: number;
  readonly #leaf: OpenPage;
  /** From the leaves up. */
  readonly #branches: OpenPage[];
  /** First key of the open leaf, and of each open branch page. */
  #leafKey: Uint8Array;
  readonly #branchKeys: Uint8Array[];
  #lastKey: Uint8Array | null;

  /** `firstPage`: id of the first page that it writes. */
  constructor(firstPage: number, sink: PageSink | null) {
    this.#sink = sink;
    this.#nextPage = firstPage;
    this.#leaf = new OpenPage();
    this.#branches = [];
    this.#leafKey = noBytes;
    this.#branchKeys = [];
    this.#lastKey = null;
  }

  /** Id of the page that comes next: behind the tree, once it is finished. */
  get nextPage(): number {
    return this.#nextPage;
  }

  /** In order of keys. Neither may change afterwards. */
  add(key: Uint8Array, value: Uint8Array, flags: number = 0): void {
    this.#put(key, this.#sink === null ? null : { key, value, tag: flags }, value.length);
  }

  /** As `add`, where a length is enough: when it only measures. */
  measure(key: Uint8Array, valueBytes: number): void {
    assert(this.#sink === null, "what is written needs a value");
    this.#put(key, null, valueBytes);
  }

  #put(key: Uint8Array, element: Element | null, valueBytes: number): void {
    assert(key.length > 0 && key.length <= keyBytesMax, "a key of a bbolt file");
    const last = this.#lastKey;
    assert(last === null || compareBytes(last, key) < 0, "keys of a bucket ascend");
    const bytes = key.length + valueBytes;
    if (!this.#leaf.hasRoom(bytes, 1)) this.#closeLeaf();
    if (this.#leaf.count === 0) this.#leafKey = key;
    this.#leaf.put(element, bytes);
    this.#lastKey = key;
  }

  /** Writes what is open; the id of the root page. */
  finish(): number {
    if (this.#leaf.written === 0) return this.#write(this.#leaf, PageKind.Leaf);
    if (this.#leaf.count > 0) this.#closeLeaf();
    for (let level = 0; ; level++) {
      const branch = must(this.#branches[level], "a level has a page above it");
      if (branch.written === 0) return this.#write(branch, PageKind.Branch);
      if (branch.count > 0) this.#closeBranch(level);
    }
  }

  #closeLeaf(): void {
    const page = this.#write(this.#leaf, PageKind.Leaf);
    this.#refer(0, this.#leafKey, page);
  }

  #refer(level: number, key: Uint8Array, page: number): void {
    const branch = (this.#branches[level] ??= new OpenPage());
    if (!branch.hasRoom(key.length, branchElementsMin)) this.#closeBranch(level);
    if (branch.count === 0) this.#branchKeys[level] = key;
    branch.put(this.#sink === null ? null : { key, value: noBytes, tag: page }, key.length);
  }

  #closeBranch(level: number): void {
    const page = this.#write(must(this.#branches[level], "a level"), PageKind.Branch);
    this.#refer(level + 1, must(this.#branchKeys[level], "a filled page"), page);
  }

  #write(open: OpenPage, kind: PageKind): number {
    const id = this.#nextPage;
    this.#nextPage += open.pages;
    this.#sink?.(encodePage(id, kind, open.pages, open.elements));
    open.clear();
    return id;
  }
}

/*
 * Behind the header the elements, then their keys and values. An element of a leaf: flags, position of
 * the key counted from the element itself, length of the key, of the value (4 bytes each). Of a branch:
 * position, length of the key (4 each), page below (8).
 */
function encodePage(
  id: number,
  kind: PageKind,
  pages: number,
  elements: readonly Element[],
): Uint8Array {
  const page = new Uint8Array(pages * pageBytes);
  fillPage(page, { id, kind, count: elements.length, overflow: pages - 1 }, elements);
  return page;
}

function fillPage(page: Uint8Array, header: PageHeader, elements: readonly Element[]): void {
  const view = viewOf(page);
  writePageHeader(view, header);
  let element = pageHeaderBytes;
  let data = pageHeaderBytes + elements.length * elementBytes;
  for (const { key, value, tag } of elements) {
    if (header.kind === PageKind.Leaf) {
      view.setUint32(element, tag, true);
      view.setUint32(element + 4, data - element, true);
      view.setUint32(element + 8, key.length, true);
      view.setUint32(element + 12, value.length, true);
    } else {
      view.setUint32(element, data - element, true);
      view.setUint32(element + 4, key.length, true);
      setU64(view, element + 8, tag);
    }
    page.set(key, data);
    page.set(value, data + key.length);
    data += key.length + value.length;
    element += elementBytes;
  }
}

/** A bucket in place of a page: a leaf without padding, its id 0. */
export function encodeInlinePage(entries: readonly BoltEntry[]): Uint8Array {
  const elements = entries.map(([key, value]) => ({ key, value, tag: 0 }));
  const page = new Uint8Array(inlinePageBytes(entries));
  const { length: count } = elements;
  fillPage(page, { id: 0, kind: PageKind.Leaf, count, overflow: 0 }, elements);
  return page;
}

export function inlinePageBytes(entries: readonly BoltEntry[]): number {
  let bytes = pageHeaderBytes;
  for (const [key, value] of entries) bytes += elementBytes + key.length + value.length;
  return bytes;
}

const noBytes = new Uint8Array(0);
