// Writes a bbolt file front to back, one large bucket as a stream and small ones from memory. The meta
// pages stand first and name what comes last, so a file is made twice: measured, without bytes, then
// written by what that found. Both runs are the same code, and must arrive at the same pages.
//
//   page 0, 1   meta, twice
//   page 2      free list, empty
//   page 3 …    the streamed bucket's tree
//   …           the other buckets that are too large to stand in their parent's leaf
//   …           the bucket of buckets
import { assert, compareBytes, must, utf8Encode } from "@quorate/base";
import {
  bucketFlag,
  bucketHeaderBytes,
  pageBytes,
  PageKind,
  setU64,
  viewOf,
  writeMetaPage,
  writePageHeader,
} from "./page.ts";
import { encodeInlinePage, inlinePageBytes, TreeWriter } from "./tree-writer.ts";
import type { BoltEntry, PageSink } from "./tree-writer.ts";

export interface Bucket {
  readonly name: string;
  /** In any order, no key twice. */
  readonly entries: readonly BoltEntry[];
}

/** What measuring finds. */
export interface FilePlan {
  readonly root: number;
  readonly pages: number;
}

export interface FileParts {
  /** Small ones, and under `streamed` none. */
  readonly buckets: readonly Bucket[];
  /** Null: none is streamed. */
  readonly streamed: string | null;
}

const freelistPage = 2;
const headPages = 3;
/** bbolt's: a bucket up to a quarter of a page stands in its parent's leaf. */
const inlineBytesMax = pageBytes / 4;

export class FileWriter {
  readonly #parts: FileParts;
  readonly #sink: PageSink | null;
  readonly #plan: FilePlan | null;
  readonly #streamed: TreeWriter;
  #rows: number;

  /** Both null: it measures. */
  constructor(parts: FileParts, plan: FilePlan | null, sink: PageSink | null) {
    assert((plan === null) === (sink === null), "what is written was measured");
    assert(!parts.buckets.some(({ name }) => name === parts.streamed), "a bucket once");
    this.#parts = parts;
    this.#sink = sink;
    this.#plan = plan;
    this.#streamed = new TreeWriter(headPages, sink);
    this.#rows = 0;
    if (sink !== null && plan !== null) writeHead(plan, sink);
  }

  /** Of the streamed bucket, in order of keys. Neither may change afterwards. */
  add(key: Uint8Array, value: Uint8Array): void {
    this.#rows += 1;
    this.#streamed.add(key, value);
  }

  measure(key: Uint8Array, valueBytes: number): void {
    this.#rows += 1;
    this.#streamed.measure(key, valueBytes);
  }

  finish(): FilePlan {
    const buckets = new Map<string, Uint8Array>();
    let next = headPages;
    const { streamed } = this.#parts;
    if (this.#rows > 0) {
      buckets.set(
        must(streamed, "rows of a streamed bucket"),
        encodeHeader(this.#streamed.finish()),
      );
      next = this.#streamed.nextPage;
    } else if (streamed !== null) {
      buckets.set(streamed, encodeInline([]));
    }
    for (const { name, entries } of this.#parts.buckets) {
      if (inlinePageBytes(entries) <= inlineBytesMax) {
        buckets.set(name, encodeInline(sorted(entries)));
        continue;
      }
      const tree = new TreeWriter(next, this.#sink);
      for (const [key, value] of sorted(entries)) tree.add(key, value);
      buckets.set(name, encodeHeader(tree.finish()));
      next = tree.nextPage;
    }
    const tree = new TreeWriter(next, this.#sink);
    const named = [...buckets].map(([name, value]): BoltEntry => [utf8Encode(name), value]);
    for (const [name, value] of sorted(named)) tree.add(name, value, bucketFlag);
    const root = tree.finish();
    const plan = { root, pages: tree.nextPage };
    const measured = this.#plan ?? plan;
    assert(plan.root === measured.root, "the file's root is where it was measured");
    assert(plan.pages === measured.pages, "the file has the pages that were measured");
    return plan;
  }
}

function writeHead({ root, pages }: FilePlan, sink: PageSink): void {
  for (const txid of [0, 1]) {
    const page = new Uint8Array(pageBytes);
    writeMetaPage(page, { pageBytes, root, freelist: freelistPage, pages, txid });
    sink(page);
  }
  const page = new Uint8Array(pageBytes);
  const header = { id: freelistPage, kind: PageKind.Freelist, count: 0, overflow: 0 };
  writePageHeader(viewOf(page), header);
  sink(page);
}

function sorted(entries: readonly BoltEntry[]): BoltEntry[] {
  return entries.toSorted(([a], [b]) => compareBytes(a, b));
}

/** Root page, then a sequence that etcd does not use. */
function encodeHeader(root: number): Uint8Array {
  const header = new Uint8Array(bucketHeaderBytes);
  setU64(viewOf(header), 0, root);
  return header;
}

/** Root page 0: the bucket's leaf stands behind the header. */
function encodeInline(entries: readonly BoltEntry[]): Uint8Array {
  const page = encodeInlinePage(entries);
  const value = new Uint8Array(bucketHeaderBytes + page.length);
  value.set(page, bucketHeaderBytes);
  return value;
}
