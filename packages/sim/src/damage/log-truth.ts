// What the files of a log truly hold, read by the numbers of the format alone (spec/storage-format.md)
// and not by the product's recovery, whose judgement this serves to judge.
import { crc32c, readU32, readU64 } from "@quorate/base";

const batchMagic = 0x61625751;
const slotMagic = 0x73645751;
const blockBytes = 4096;
/** Of a segment; zeros up to the first batch follow. */
export const segmentHeaderBytes = 60;
const headerBytes = 256;
const slotBytes = 512;

/** Of a batch, or of a slot in the second file. */
export interface TrueRecord {
  readonly from: number;
  readonly to: number;
  /** 0: a slot. */
  readonly seq: number;
  readonly durableSeq: number;
}

/** A segment that the manifest names. */
export interface NamedSegment {
  readonly name: string;
  readonly nonce: number;
}

/** What a manifest (both copies, null: none) says of the log: its newest copy that checks. */
export function segmentsNamedIn(copies: readonly (Uint8Array | null)[]): NamedSegment[] {
  const records = copies.flatMap((copy) => (copy === null ? [] : (recordIn(copy) ?? [])));
  const newest = records.reduce<Uint8Array | null>(
    (best, next) => (best === null || readU64(next, 16) > readU64(best, 16) ? next : best),
    null,
  );
  if (newest === null) return [];
  const count = readU32(newest, 40);
  return Array.from({ length: count }, (_, at) => {
    const id = String(readU64(newest, 44 + 24 * at)).padStart(16, "0");
    return { name: `wal-${id}.log`, nonce: readU64(newest, 52 + 24 * at) };
  });
}

/** Batches of a segment in this use whose headers check, in the order of their places. */
export function batchesIn(segment: Uint8Array, nonce: number): TrueRecord[] {
  const found: TrueRecord[] = [];
  for (let from = blockBytes; from + headerBytes <= segment.length; from += blockBytes) {
    if (readU32(segment, from) !== batchMagic || readU64(segment, from + 24) !== nonce) continue;
    const seed = crc32c(segment.subarray(from + 24, from + 32));
    if (crc32c(segment, from, from + 252, seed) !== readU32(segment, from + 252)) continue;
    const seq = readU64(segment, from + 40);
    // Behind a header of another place stands nothing of its own.
    if (readU64(segment, from + 48) !== from) continue;
    const bytes = headerBytes + readU32(segment, from + 72);
    const durableSeq = readU64(segment, from + 136);
    found.push({ from, to: from + Math.ceil(bytes / blockBytes) * blockBytes, seq, durableSeq });
  }
  return found;
}

/** The slots of the second file that check. */
export function slotsIn(file: Uint8Array): TrueRecord[] {
  const found: TrueRecord[] = [];
  for (const from of [0, 2048]) {
    if (from + slotBytes > file.length || readU32(file, from) !== slotMagic) continue;
    if (crc32c(file, from, from + 40) !== readU32(file, from + 40)) continue;
    const durableSeq = readU64(file, from + 32);
    found.push({ from, to: from + slotBytes, seq: 0, durableSeq });
  }
  return found;
}

/** The body of a small file written whole (identity, manifest), or null when it does not check. */
export function recordIn(file: Uint8Array): Uint8Array | null {
  if (file.length < 24) return null;
  const end = 24 + readU32(file, 12);
  if (end > file.length || crc32c(file, 8, end) !== readU32(file, 4)) return null;
  return file.subarray(0, end);
}
