// The row that stands at a place of a segment, or what is wrong with it: no row leaves unchecked.
import type { Row } from "@quorate/kv";
import { decodeRow, rowLength, rowMain, rowProblem } from "./row-codec.ts";
import type { RowBlock } from "./row-codec.ts";
import type { RowSegment } from "./row-segment.ts";

/** Where rows are read from, and what happens when they are not what they were. */
export interface RowFiles {
  /** Fills `into` from the segment's saved part; bytes that are not there are damage. */
  readNow(segment: RowSegment, offset: number, into: Uint8Array): void;
  damaged(segment: RowSegment, offset: number, main: number | null, what: string): never;
}

export interface RowPlace {
  readonly segment: RowSegment;
  readonly block: RowBlock;
  /** In the block; `offset` in the segment. */
  readonly at: number;
  readonly offset: number;
  /** The row is no longer than that. */
  readonly bound: number;
}

export function checkedRow(files: RowFiles, { segment, block, at, bound, offset }: RowPlace): Row {
  const length = rowLength(block, at, at + bound);
  if (length <= 0 || length > bound) {
    return files.damaged(segment, offset, null, "no row of this format stands here");
  }
  const problem = rowProblem(block, at, length, segment.seed, offset);
  if (problem !== null) files.damaged(segment, offset, rowMain(block, at), problem);
  const main = rowMain(block, at);
  if (main < segment.firstMain || main > segment.lastMain) {
    const range = `${segment.firstMain} … ${segment.lastMain}`;
    files.damaged(segment, offset, main, `the segment holds revisions ${range}`);
  }
  return decodeRow(block, at);
}
