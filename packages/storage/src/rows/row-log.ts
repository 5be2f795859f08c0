// The row store: all row segments in revision order, the newest of which takes rows. Rows that no
// checkpoint holds stand in memory, the others in files, the most used in a cache as well. It
// decides nothing about when things are written, rewritten or removed.
import { assert } from "@quorate/base";
import type { Row, RowCursor, RowRef, RowStore } from "@quorate/kv";
import { rowsName } from "../directory/layout.ts";
import type { Random } from "../env.ts";
import { checkedRow } from "./checked-row.ts";
import { LogCursor } from "./log-cursor.ts";
import type { WalkedLog } from "./log-cursor.ts";
import { RowCache } from "./row-cache.ts";
import { encodedRowBytes, RowBlock } from "./row-codec.ts";
import { RowSegment } from "./row-segment.ts";
import type { RowChunk } from "./row-segment.ts";
import type { SegmentFiles } from "./segment-files.ts";

const tagLimit = 2 ** 52;

export interface RowLogOptions {
  readonly clusterId: string;
  readonly raftId: number;
  readonly segmentBytes: number;
  readonly cacheBytesMax: number;
}

/** What a checkpoint has to write of one segment. */
export interface CapturedSegment {
  readonly segment: RowSegment;
  readonly from: number;
  readonly to: number;
  readonly sealed: boolean;
  readonly chunks: readonly RowChunk[];
}

/** The rows at one moment: everything appended before it, nothing after. */
export interface Capture {
  readonly number: number;
  readonly segments: readonly CapturedSegment[];
}

export class RowLog implements RowStore, WalkedLog {
  readonly files: SegmentFiles;
  readonly #options: RowLogOptions;
  readonly #random: Random;
  readonly #cache: RowCache;
  /** Ascending; refs and revisions of one are above those of the one before. */
  #segments: RowSegment[];
  /** Takes the next row; null: a new one will. */
  #growing: RowSegment | null;
  #nextRef: number;
  #lastMain: number;
  #lastSub: number;
  /** Number of the newest capture; the checkpoint in force is `#inForce`. From 1. */
  #capture: number;
  #inForce: number;
  #unsavedBytes: number;
  /** Everything before is void: cursors of an earlier epoch end. */
  #epoch: number;
  /** The list of segments changed: a cursor must look its place up anew. */
  #version: number;

  constructor(files: SegmentFiles, random: Random, options: RowLogOptions) {
    this.files = files;
    this.#options = options;
    this.#random = random;
    this.#cache = new RowCache(options.cacheBytesMax);
    this.#segments = [];
    this.#growing = null;
    this.#nextRef = 0;
    this.#lastMain = 0;
    this.#lastSub = -1;
    this.#capture = 1;
    this.#inForce = 1;
    this.#unsavedBytes = 0;
    this.#epoch = 0;
    this.#version = 0;
  }

  // ---- RowStore ---------------------------------------------------------------------------------

  append(row: Row): RowRef {
    const { main, sub } = row;
    assert(this.#ascends(main, sub), "rows are appended in revision order");
    const length = encodedRowBytes(row);
    const growing = this.#growing;
    const full = growing !== null && growing.bytes + length > this.#options.segmentBytes;
    if (full && growing.places.count > 0) this.#seal(growing);
    const segment = this.#growing ?? this.#grow(main);
    const before = segment.bytes;
    segment.append(row);
    this.#unsavedBytes += segment.bytes - before;
    this.#lastMain = main;
    this.#lastSub = sub;
    const ref = this.#nextRef;
    this.#nextRef += 1;
    return ref;
  }

  read(ref: RowRef): Row {
    const cached = this.#cache.get(ref);
    if (cached !== null) return cached;
    const segment = this.segmentOf(ref);
    const position = segment === null ? -1 : segment.places.find(ref);
    assert(segment !== null && position >= 0, () => `row ${ref} was reclaimed or never was`);
    const unsaved = segment.unsavedRowAt(position);
    if (unsaved !== null) return unsaved;
    const row = this.#readAt(segment, position);
    this.#cache.put(ref, row);
    return row;
  }

  cursorFrom(main: number): RowCursor {
    return new LogCursor(this, this.#refFrom(main));
  }

  dead(ref: RowRef): void {
    const segment = this.segmentOf(ref);
    const position = segment === null ? -1 : segment.places.find(ref);
    // Reclaimed before: it was dead then, and stays it.
    if (segment === null || position < 0) return;
    const bytes = segment.boundAt(position);
    segment.dead.mark(position, bytes, this.#capture, this.#inForce);
  }

  // ---- Segments ---------------------------------------------------------------------------------

  get segments(): readonly RowSegment[] {
    return this.#segments;
  }

  get clusterId(): string {
    return this.#options.clusterId;
  }

  get epoch(): number {
    return this.#epoch;
  }

  get version(): number {
    return this.#version;
  }

  get nextRef(): number {
    return this.#nextRef;
  }

  get unsavedBytes(): number {
    return this.#unsavedBytes;
  }

  /** Number of the capture whose checkpoint is in force; and of the newest. */
  get captureInForce(): number {
    return this.#inForce;
  }

  get captureNewest(): number {
    return this.#capture;
  }

  /** The segment whose range of refs holds `ref`; null below and above all. */
  segmentOf(ref: RowRef): RowSegment | null {
    const place = this.#placeOf(ref);
    return place < 0 || ref >= this.#nextRef ? null : this.#segments[place]!;
  }

  /** The segment after the one that `segmentOf(ref)` gives, or the first one. */
  segmentBehind(ref: RowRef): RowSegment | null {
    return this.#segments[this.#placeOf(ref) + 1] ?? null;
  }

  #placeOf(ref: RowRef): number {
    let low = -1;
    let high = this.#segments.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.#segments[middle]!.places.firstRef <= ref) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  newTag(): number {
    return 1 + this.#random.below(tagLimit - 1);
  }

  newSegment(firstMain: number, firstRef: number): RowSegment {
    const name = rowsName(this.newTag());
    return new RowSegment(name, this.newTag(), this.#options.raftId, firstMain, firstRef);
  }

  #grow(firstMain: number): RowSegment {
    const segment = this.newSegment(firstMain, this.#nextRef);
    segment.begin(this.#options.clusterId);
    this.#unsavedBytes += segment.bytes;
    this.#segments.push(segment);
    this.#growing = segment;
    this.#version += 1;
    return segment;
  }

  #seal(segment: RowSegment): void {
    const before = segment.bytes;
    segment.cut();
    this.#unsavedBytes += segment.bytes - before;
    segment.sealed = true;
    segment.places.trim();
    this.#growing = null;
  }

  // ---- Checkpoints ------------------------------------------------------------------------------

  capture(): Capture {
    const growing = this.#growing;
    if (growing !== null) {
      const before = growing.bytes;
      growing.cut();
      this.#unsavedBytes += growing.bytes - before;
      if (growing.bytes >= this.#options.segmentBytes) this.#seal(growing);
    }
    const segments: CapturedSegment[] = [];
    for (const segment of this.#segments) {
      const { savedBytes, bytes, sealed, sealedInForce } = segment;
      if (savedBytes === bytes && sealed === sealedInForce) continue;
      segments.push({ segment, from: savedBytes, to: bytes, sealed, chunks: segment.cut() });
    }
    this.#capture += 1;
    return { number: this.#capture, segments };
  }

  /** The checkpoint of this capture is in force; `crcs` of the segments in its order. */
  captureSaved(capture: Capture, crcs: readonly number[]): void {
    capture.segments.forEach(({ segment, from, to, sealed }, place) => {
      segment.saved(to, crcs[place]!);
      segment.sealedInForce = sealed;
      this.#unsavedBytes -= to - from;
    });
    this.#inForce = capture.number;
  }

  // ---- Scan, rewriting, install -------------------------------------------------------------------

  /** Of the scan: a segment that the manifest names, to be filled with its rows by `scanned`. */
  pushNamed(segment: RowSegment): void {
    assert(segment.places.firstRef === this.#nextRef, "a scanned segment follows the one before");
    assert(this.#growing === null, "rows are scanned before any is appended");
    this.#segments.push(segment);
    this.#version += 1;
  }

  /** Null: the row is in order. */
  scanned(
    segment: RowSegment,
    main: number,
    sub: number,
    offset: number,
    length: number,
  ): string | null {
    if (!this.#ascends(main, sub)) {
      return `revision ${main}.${sub} after ${this.#lastMain}.${this.#lastSub}`;
    }
    if (segment.places.count === 0 && main !== segment.firstMain) {
      return `revision ${main} where ${segment.firstMain} begins the segment`;
    }
    segment.took(offset, length, main);
    this.#lastMain = main;
    this.#lastSub = sub;
    this.#nextRef += 1;
    return null;
  }

  #ascends(main: number, sub: number): boolean {
    return main > this.#lastMain || (main === this.#lastMain && sub > this.#lastSub);
  }

  scannedAll(segment: RowSegment): void {
    if (segment.sealed) segment.places.trim();
    else this.#growing = segment;
  }

  /** The segments from `first` to `last` become `next`, which holds their rows that are left. */
  replace(first: RowSegment, last: RowSegment, next: RowSegment | null): void {
    const from = this.#segments.indexOf(first);
    const to = this.#segments.indexOf(last);
    assert(from >= 0 && to >= from, "what is replaced is there");
    for (const segment of this.#segments.slice(from, to + 1)) this.files.close(segment);
    this.#segments.splice(from, to - from + 1, ...(next === null ? [] : [next]));
    this.#version += 1;
  }

  /** A snapshot replaces everything: refs of before are void, the scan starts anew. */
  reset(): void {
    this.files.closeAll();
    this.#cache.clear();
    this.#segments = [];
    this.#growing = null;
    this.#unsavedBytes = 0;
    this.#lastMain = 0;
    this.#lastSub = -1;
    this.#capture += 1;
    this.#inForce = this.#capture;
    this.#epoch += 1;
    this.#version += 1;
  }

  // ---- Reading ----------------------------------------------------------------------------------

  #readAt(segment: RowSegment, position: number): Row {
    const offset = segment.places.offsetAt(position);
    const bound = segment.boundAt(position);
    const block = new RowBlock(new Uint8Array(bound));
    this.files.readNow(segment, offset, block.bytes);
    return checkedRow(this.files, { segment, block, at: 0, bound, offset });
  }

  /** Ref of the first row with main ≥ `main`. */
  #refFrom(main: number): RowRef {
    let low = 0;
    let high = this.#segments.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#segments[middle]!.lastMain < main) low = middle + 1;
      else high = middle;
    }
    const segment = this.#segments[low];
    if (segment === undefined) return this.#nextRef;
    let from = 0;
    let to = segment.places.count;
    while (from < to) {
      const middle = (from + to) >>> 1;
      if (this.#mainAt(segment, middle) < main) from = middle + 1;
      else to = middle;
    }
    return from < segment.places.count ? segment.places.refAt(from) : this.#nextRef;
  }

  #mainAt(segment: RowSegment, position: number): number {
    const unsaved = segment.unsavedRowAt(position);
    return unsaved === null ? this.#readAt(segment, position).main : unsaved.main;
  }
}
