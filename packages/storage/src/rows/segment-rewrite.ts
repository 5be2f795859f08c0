// Copies what lives of neighbouring segments into one new segment, in slices. Rows keep their bytes
// but for the CRC, which names the new nonce and offset; refs stay. The sources remain in use until
// the new segment is in force.
import { crc32c, must } from "@quorate/base";
import type { DiskFile } from "../env.ts";
import type { RowSegmentEntry } from "../manifest/manifest-api.ts";
import { padded } from "../medium.ts";
import type { Medium } from "../medium.ts";
import { resealRow, RowBlock, rowLength, rowMain, rowProblem } from "./row-codec.ts";
import type { RowLog } from "./row-log.ts";
import type { RowSegment } from "./row-segment.ts";
import { encodeSegmentHeader, SegmentHeader, segmentHeaderBytes } from "./segment-header.ts";

export interface RewriteParts {
  readonly medium: Medium;
  readonly directory: string;
  readonly rows: RowLog;
}

/** Positions looked at and bytes read in one slice: bounds the time of one, not what is written. */
const positionsMax = 50_000;
const readBytesMax = 1_048_576;
const readAheadBytes = 65_536;

export class SegmentRewrite {
  readonly sources: readonly RowSegment[];
  readonly #parts: RewriteParts;
  /** Next row to look at. */
  #source: number;
  #position: number;
  /** What was read of the present source. */
  #block: RowBlock;
  #blockOffset: number;
  #readBytes: number;
  /** Null until a row that lives was found. */
  #target: RowSegment | null;
  #file: DiskFile | null;
  #crc: number;
  #out: RowBlock;
  #outUsed: number;
  #outOffset: number;

  constructor(parts: RewriteParts, sources: readonly RowSegment[]) {
    this.sources = sources;
    this.#parts = parts;
    this.#source = 0;
    this.#position = 0;
    this.#block = new RowBlock(new Uint8Array(0));
    this.#blockOffset = 0;
    this.#readBytes = 0;
    this.#target = null;
    this.#file = null;
    this.#crc = 0;
    this.#out = new RowBlock(new Uint8Array(0));
    this.#outUsed = 0;
    this.#outOffset = 0;
  }

  /** Copies about `budgetBytes`; never calls back inside the call. */
  step(budgetBytes: number, done: (copiedBytes: number, atEnd: boolean) => void): void {
    this.#out = new RowBlock(new Uint8Array(Math.ceil(budgetBytes) + segmentHeaderBytes));
    this.#outUsed = 0;
    this.#readBytes = 0;
    let positions = 0;
    const mayGoOn = (): boolean =>
      this.#outUsed < budgetBytes && positions < positionsMax && this.#readBytes < readBytesMax;
    while (this.#source < this.sources.length && mayGoOn()) {
      const source = this.sources[this.#source]!;
      if (this.#position === source.places.count) {
        this.#source += 1;
        this.#position = 0;
        this.#block = new RowBlock(new Uint8Array(0));
        continue;
      }
      this.#look(source);
      this.#position += 1;
      positions += 1;
    }
    const copied = this.#outUsed;
    this.#flush(() => done(copied, this.#source === this.sources.length));
  }

  /** Pads, syncs, names: what the manifest is to say; null: nothing lives any more. */
  finish(done: (entry: RowSegmentEntry | null) => void): void {
    const target = this.#target;
    if (target === null) {
      this.#parts.medium.env.schedule(() => done(null));
      return;
    }
    const { medium, directory } = this.#parts;
    const padding = padded(target.bytes) - target.bytes;
    this.#out = new RowBlock(new Uint8Array(padding));
    this.#outUsed = padding;
    target.bytes += padding;
    this.#flush(() => {
      const file = must(this.#file, "a target has a file");
      medium.sync(file, () => {
        file.close();
        this.#file = null;
        medium.syncDirectory(directory, () => done(this.#entry(target)));
      });
    });
  }

  #entry(target: RowSegment): RowSegmentEntry {
    const { name, nonce, originRaftId, bytes, firstMain } = target;
    return { name, nonce, originRaftId, bytes, crc: this.#crc, sealed: true, firstMain };
  }

  /** In force: the segment that takes the sources' place, with what has died meanwhile. */
  result(entry: RowSegmentEntry): RowSegment {
    const target = must(this.#target, "an entry has a segment");
    target.sealed = true;
    target.sealedInForce = true;
    target.saved(entry.bytes, entry.crc);
    target.places.trim();
    this.#carryDead(target);
    return target;
  }

  /** Throws away what was written so far. */
  abort(done: () => void): void {
    this.#file?.close();
    this.#file = null;
    const { medium, directory } = this.#parts;
    if (this.#target === null) done();
    else medium.remove(`${directory}/${this.#target.name}`, done);
  }

  #look(source: RowSegment): void {
    const { rows } = this.#parts;
    if (source.dead.at(rows.captureInForce).has(this.#position)) return;
    const offset = source.places.offsetAt(this.#position);
    const bound = source.boundAt(this.#position);
    const block = this.#have(source, offset, bound);
    const at = offset - this.#blockOffset;
    const length = rowLength(block, at, at + bound);
    if (length <= 0 || length > bound) {
      rows.files.damaged(source, offset, null, "no row of this format stands here");
    }
    const problem = rowProblem(block, at, length, source.seed, offset);
    const main = rowMain(block, at);
    if (problem !== null) rows.files.damaged(source, offset, main, problem);
    this.#copy(source.places.refAt(this.#position), block, at, length, main);
  }

  #copy(ref: number, from: RowBlock, at: number, length: number, main: number): void {
    const target = this.#target ?? this.#begin(main);
    this.#room(length);
    const out = this.#out;
    out.bytes.set(from.bytes.subarray(at, at + length), this.#outUsed);
    resealRow(out, this.#outUsed, length, target.seed, target.bytes);
    this.#outUsed += length;
    target.tookSparse(ref, target.bytes, length, main);
    target.bytes += length;
  }

  #begin(firstMain: number): RowSegment {
    const { medium, directory, rows } = this.#parts;
    const first = must(this.sources[0], "a rewrite has sources");
    const target = rows.newSegment(firstMain, first.places.firstRef);
    this.#file = medium.create(`${directory}/${target.name}`);
    const { originRaftId, nonce } = target;
    const header = new SegmentHeader(rows.clusterId, originRaftId, nonce, firstMain);
    encodeSegmentHeader(header, this.#out.bytes);
    this.#outUsed = segmentHeaderBytes;
    target.bytes = segmentHeaderBytes;
    this.#target = target;
    return target;
  }

  /** A row may be longer than the rest of the budget: it goes all the same. */
  #room(length: number): void {
    const needed = this.#outUsed + length;
    if (needed <= this.#out.bytes.length) return;
    const grown = new RowBlock(new Uint8Array(needed));
    grown.bytes.set(this.#out.bytes.subarray(0, this.#outUsed));
    this.#out = grown;
  }

  #have(source: RowSegment, offset: number, bound: number): RowBlock {
    const from = this.#blockOffset;
    const end = from + this.#block.bytes.length;
    if (offset >= from && offset + bound <= end) return this.#block;
    const length = Math.min(Math.max(bound, readAheadBytes), source.savedBytes - offset);
    const block = new RowBlock(new Uint8Array(length));
    this.#parts.rows.files.readNow(source, offset, block.bytes);
    this.#readBytes += length;
    this.#block = block;
    this.#blockOffset = offset;
    return block;
  }

  #flush(done: () => void): void {
    const { medium } = this.#parts;
    const file = this.#file;
    if (this.#outUsed === 0 || file === null) {
      medium.env.schedule(done);
      return;
    }
    const bytes = this.#out.bytes.subarray(0, this.#outUsed);
    this.#crc = crc32c(bytes, 0, bytes.length, this.#crc);
    const position = this.#outOffset;
    this.#outOffset += bytes.length;
    medium.write(file, position, bytes, done);
  }

  /**
   * Rows that died since they were copied are dead in the target too, each as of the capture that
   * saw it alive last. In order of captures, as DeadRows wants it.
   */
  #carryDead(target: RowSegment): void {
    const { captureInForce: inForce, captureNewest: newest } = this.#parts.rows;
    for (const [diedAfter, deadIn] of [
      [0, inForce],
      [inForce, newest],
      [newest, null],
    ] as const) {
      this.#carryAsOf(target, deadIn, diedAfter, inForce);
    }
  }

  #carryAsOf(target: RowSegment, deadIn: number | null, diedAfter: number, inForce: number): void {
    let position = 0;
    for (const source of this.sources) {
      const dead = deadIn === null ? source.dead : source.dead.at(deadIn);
      while (position < target.places.count) {
        const from = source.places.find(target.places.refAt(position));
        if (from < 0) break;
        if (dead.has(from)) {
          target.dead.mark(position, target.boundAt(position), diedAfter, inForce);
        }
        position += 1;
      }
    }
  }
}
