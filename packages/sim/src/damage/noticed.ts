// Whether a start on a damaged disk can notice it at all. P8's residual: damage from some batch to the
// end of the log, and to every newer word of what was durable, looks like a clean end; it must not be
// injected where an answer to it is demanded. Row segments and tables need no word here: the manifest
// says what they are, down to a checksum.
import { equalBytes } from "@quorate/base";
import { SimDirectory } from "../disk/sim-directory.ts";
import { SimFile } from "../disk/sim-file.ts";
import type { SimDisk } from "../sim-disk.ts";
import {
  batchesIn,
  recordIn,
  segmentHeaderBytes,
  segmentsNamedIn,
  slotsIn,
  type TrueRecord,
} from "./log-truth.ts";

/** Kept in two equal copies. */
export const pairNames = ["IDENTITY", "MANIFEST"] as const;

/** A start has copied there what it writes anew: as long as it is there, no damage. */
const rewriteName = "wal-again";

export function isNoticed(disk: SimDisk, directory: string): boolean {
  const node = disk.nodeAt(directory);
  if (!(node instanceof SimDirectory)) return false;
  if (node.entries.has(rewriteName)) return false;
  return pairNames.every((name) => isPairNoticed(node, name)) && isLogNoticed(node);
}

/** The directory has a log with something in it. */
export function hasLog(disk: SimDisk, directory: string): boolean {
  const node = disk.nodeAt(directory);
  return node instanceof SimDirectory && segmentsOf(node).some(({ batches }) => batches.length > 0);
}

/** One copy says the truth, or neither says anything: an older one alone would be believed. */
function isPairNoticed(directory: SimDirectory, name: string): boolean {
  let believed = false;
  for (const copy of [1, 2]) {
    const file = directory.entries.get(`${name}-${copy}`);
    if (!(file instanceof SimFile)) continue;
    const shown = directory.shown(`${name}-${copy}`);
    const said = shown instanceof SimFile ? recordIn(shownBytes(shown)) : null;
    const truth = recordIn(file.syncedBytes());
    if (said === null) continue;
    if (truth !== null && equalBytes(said, truth)) return true;
    believed = true;
  }
  return !believed;
}

export interface TrueSegment {
  readonly name: string;
  readonly file: SimFile;
  readonly batches: readonly TrueRecord[];
}

/** The log in force, whatever damage shows of it. */
export function segmentsOf(directory: SimDirectory): TrueSegment[] {
  const manifest = ["MANIFEST-1", "MANIFEST-2"].map((name) => {
    const file = directory.entries.get(name);
    return file instanceof SimFile ? file.syncedBytes() : null;
  });
  return segmentsNamedIn(manifest).flatMap(({ name, nonce }) => {
    const file = directory.entries.get(name);
    if (!(file instanceof SimFile)) return [];
    return [{ name, file, batches: batchesIn(file.syncedBytes(), nonce) }];
  });
}

/**
 * Every batch that is hit is one that something unhurt calls durable. Not the first alone: a hole is
 * crossed, and then the end looks clean all the same.
 */
function isLogNoticed(directory: SimDirectory): boolean {
  let lastHit = 0;
  let attested = 0;
  let lastBroken = -1;
  let lastInhabited = -1;
  for (const [at, { name, file, batches }] of segmentsOf(directory).entries()) {
    const isGone = directory.damage.has(name);
    if (isGone || file.shownLength < file.length || isHeadless(file)) lastBroken = at;
    for (const { from, to, seq, durableSeq } of batches) {
      if (isGone || to > file.shownLength || file.damage.touches(from, to)) {
        lastHit = Math.max(lastHit, seq);
        continue;
      }
      attested = Math.max(attested, durableSeq);
      lastInhabited = at;
    }
  }
  // A file that nothing whole stands behind: whatever was at the end may have been in it.
  if (lastBroken >= 0 && lastBroken >= lastInhabited) return true;
  const second = directory.entries.get("wal-durable");
  if (second instanceof SimFile && !directory.damage.has("wal-durable")) {
    for (const { from, to, durableSeq } of slotsIn(second.syncedBytes())) {
      if (!second.damage.touches(from, to)) attested = Math.max(attested, durableSeq);
    }
  }
  return lastHit <= attested;
}

/** Damage that covers the header may leave it as it was. */
function isHeadless(file: SimFile): boolean {
  const shown = new Uint8Array(segmentHeaderBytes);
  const unreadable = file.readShown(0, shown) === null;
  return unreadable || !equalBytes(shown, file.syncedBytes().subarray(0, segmentHeaderBytes));
}

function shownBytes(file: SimFile): Uint8Array {
  const bytes = new Uint8Array(file.shownLength);
  return file.readShown(0, bytes) === null ? new Uint8Array(0) : bytes;
}
