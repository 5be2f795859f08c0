// Which row segments are worth rewriting: wholly dead ones go as they are; those that would shrink
// to half, and runs of small neighbours, are merged into one. Pure: judges, never touches.
import { padded } from "../medium.ts";
import type { RowSegment } from "./row-segment.ts";
import { segmentHeaderBytes } from "./segment-header.ts";

/** A segment below this part of the full size is small. */
const smallFraction = 4;
/** So many small neighbours are merged although nothing in them is dead. */
const smallRunMin = 4;

export interface ReclaimPlan {
  /** Nothing in them lives. */
  readonly drop: readonly RowSegment[];
  /** Neighbours, in order, to become one segment; empty: nothing to do. */
  readonly merge: readonly RowSegment[];
}

/** `inForce`: number of the capture whose checkpoint is in force; what died after it lives. */
export function planReclaim(
  segments: readonly RowSegment[],
  inForce: number,
  segmentBytes: number,
): ReclaimPlan {
  const drop: RowSegment[] = [];
  const kept: RowSegment[] = [];
  for (const segment of segments) {
    if (isSaved(segment) && segment.dead.at(inForce).count === segment.places.count) {
      drop.push(segment);
    } else {
      kept.push(segment);
    }
  }
  if (drop.length > 0) return { drop, merge: [] };
  for (let first = 0; first < kept.length; first++) {
    const merge = mergeFrom(kept, first, inForce, segmentBytes);
    if (merge.length > 0) return { drop, merge };
  }
  return { drop, merge: [] };
}

function mergeFrom(
  segments: readonly RowSegment[],
  first: number,
  inForce: number,
  segmentBytes: number,
): RowSegment[] {
  const merge: RowSegment[] = [];
  let live = 0;
  let shrinks = false;
  for (let at = first; at < segments.length; at++) {
    const segment = segments[at]!;
    const bytes = liveBytes(segment, inForce);
    const halved = 2 * padded(segmentHeaderBytes + bytes) <= segment.bytes;
    const small = bytes < segmentBytes / smallFraction;
    if (!isSaved(segment) || !(halved || small)) break;
    if (merge.length > 0 && segmentHeaderBytes + live + bytes > segmentBytes) break;
    merge.push(segment);
    live += bytes;
    shrinks ||= halved;
  }
  return shrinks || merge.length >= smallRunMin ? merge : [];
}

/** Sealed and in force to its end: its bytes do not change any more. */
function isSaved(segment: RowSegment): boolean {
  return segment.sealedInForce && segment.savedBytes === segment.bytes;
}

export function liveBytes(segment: RowSegment, inForce: number): number {
  return Math.max(0, segment.rowBytes - segment.dead.at(inForce).bytes);
}
