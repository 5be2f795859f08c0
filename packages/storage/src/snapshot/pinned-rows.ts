// The rows of one moment, held: what is appended, dies, is rewritten or replaced later does not change
// what a walk over them gives. The segments' files stay until `release`, and of rows that stand in memory
// only, the segments know when they have come into the files. Which were dead is copied, one bit a row.
// It costs disk and no time of the log's: a reader may take as long as it likes.
import { assert } from "@quorate/base";
import type { Row } from "@quorate/kv";
import { isRefused } from "../directory/access.ts";
import { DiskError } from "../env.ts";
import type { DiskFile } from "../env.ts";
import type { DeadRowsAt } from "../rows/dead-rows.ts";
import type { RowFiles } from "../rows/checked-row.ts";
import type { RowSegment } from "../rows/row-segment.ts";
import { SegmentReader } from "../rows/segment-reader.ts";
import type { ScrubFinding } from "../scrub/scrub-api.ts";
import type { HeldRows, RowWalk } from "../storage-api.ts";
import { RowsDamaged } from "../storage-api.ts";
import type { PinParts } from "./pinned-checkpoint.ts";

/** A segment at the moment of the pin. */
interface PinnedSegment {
  readonly segment: RowSegment;
  readonly count: number;
  readonly dead: DeadRowsAt;
}

export class PinnedRows implements HeldRows {
  readonly #parts: PinParts;
  readonly #segments: readonly PinnedSegment[];
  readonly #walks: Set<PinnedWalk>;
  #released: boolean;

  constructor(parts: PinParts) {
    this.#parts = parts;
    this.#segments = parts.rows.segments.map((segment) => ({
      segment,
      count: segment.places.count,
      dead: segment.dead.copy(),
    }));
    this.#walks = new Set();
    this.#released = false;
    for (const { segment } of this.#segments) parts.held.hold(segment.name);
  }

  walk(): RowWalk {
    assert(!this.#released, "released rows are not walked");
    const walk = new PinnedWalk(this.#parts, this.#segments);
    this.#walks.add(walk);
    return walk;
  }

  release(): void {
    if (this.#released) return;
    this.#released = true;
    for (const walk of this.#walks) walk.close();
    for (const { segment } of this.#segments) this.#parts.held.release(segment.name);
  }
}

/** Thrown from where a row cannot be given to `next`, which gives it as its answer. */
class Damage extends Error {}

class PinnedWalk implements RowWalk {
  readonly #segments: readonly PinnedSegment[];
  readonly #files: WalkFiles;
  readonly #reader: SegmentReader;
  #segment: number;
  #position: number;

  constructor(parts: PinParts, segments: readonly PinnedSegment[]) {
    this.#segments = segments;
    this.#files = new WalkFiles(parts);
    this.#reader = new SegmentReader(this.#files);
    this.#segment = 0;
    this.#position = 0;
  }

  next(): Row | RowsDamaged | null {
    for (;;) {
      const pinned = this.#segments[this.#segment];
      if (pinned === undefined) return null;
      if (this.#position === pinned.count) {
        this.#segment += 1;
        this.#position = 0;
        continue;
      }
      const position = this.#position;
      this.#position += 1;
      if (!pinned.dead.has(position)) return this.#row(pinned.segment, position);
    }
  }

  close(): void {
    this.#files.close();
  }

  #row(segment: RowSegment, position: number): Row | RowsDamaged {
    try {
      return this.#reader.rowAt(segment, position);
    } catch (error) {
      if (error instanceof Damage) return new RowsDamaged(error.message);
      throw error;
    }
  }
}

/** One file at a time is open. Damage of rows that are still in force is told, as rereading tells it. */
class WalkFiles implements RowFiles {
  readonly #parts: PinParts;
  #open: DiskFile | null;

  constructor(parts: PinParts) {
    this.#parts = parts;
    this.#open = null;
  }

  readNow(segment: RowSegment, offset: number, into: Uint8Array): void {
    const file = this.#fileOf(segment, offset);
    const read = file.readNow(offset, into);
    if (read instanceof DiskError) this.#found(segment, offset, `read: ${read.code}`, true);
    if (read === into.length) return;
    this.#found(segment, offset, "the file ends within its length in force", false);
  }

  damaged(segment: RowSegment, offset: number, _main: number | null, what: string): never {
    return this.#found(segment, offset, what, false);
  }

  close(): void {
    this.#open?.close();
    this.#open = null;
  }

  #found(segment: RowSegment, offset: number, what: string, unreadable: boolean): never {
    const { rows, found, medium, directory } = this.#parts;
    const path = `${directory}/${segment.name}`;
    medium.env.trace.mark("snapshot.source-damaged");
    const finding: ScrubFinding = { part: "rows", path, offset, what, unreadable };
    if (rows.segments.includes(segment)) found(finding);
    throw new Damage(`${path}: offset ${offset}: ${what}`);
  }

  #fileOf(segment: RowSegment, offset: number): DiskFile {
    const { medium, directory } = this.#parts;
    const path = `${directory}/${segment.name}`;
    if (this.#open !== null && this.#open.path === path) return this.#open;
    this.close();
    const file = medium.env.disk.openNow(path, false);
    if (file instanceof DiskError) {
      // For want of a right or of descriptors: that says nothing about the row.
      if (isRefused(file)) throw new Damage(`${path}: open: ${file.code}`);
      return this.#found(segment, offset, `open: ${file.code}`, true);
    }
    this.#open = file;
    return file;
  }
}
