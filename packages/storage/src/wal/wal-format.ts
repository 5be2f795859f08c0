// The numbers of the log's files on disk. Changing one makes a new format: old numbers are never
// given a new meaning.
//
//   segment    = segment header (one block) | batch | batch | … | zeros
//   batch      = batch header (256 bytes) | record | record | … | zeros up to a whole block
//   record     = crc u32 | length u32 | body; body = record kind u8 | content
//
// A batch starts on a block and is padded to whole blocks, so that a sector once acknowledged is
// never written again and a crash damages only batches that nobody was told about (§3.2).
import { crc32c, readU32, writeU64 } from "@quorate/base";

export const blockBytes = 4096;
export const batchHeaderBytes = 256;
export const recordHeadBytes = 8;
/** The first block of a segment is its header. */
export const firstBatchOffset: number = blockBytes;

/** Written by this binary, and the newest one it reads. */
export const walFormat = 1;

/** "QWsg", "QWba", "QWds", "QWag" read as little-endian u32. */
export const segmentMagic = 0x67735751;
export const batchMagic = 0x61625751;
export const durableMagic = 0x73645751;
export const rewriteMagic = 0x67615751;

export const BatchKind = {
  /** Entries, peers or a hard state from the core. */
  Append: 1,
  /** Says that everything before it was durable. */
  Seal: 2,
  /** The log restarts at the mark, if its checkpoint is in force (P9). */
  SnapshotMark: 3,
  /** First of a process start, after recovery has cleaned up. */
  Boot: 4,
  /** Entries of a log that lacks some: by index, what stands behind them stays (gapped-log.ts). */
  Repair: 5,
} as const;
export type BatchKind = (typeof BatchKind)[keyof typeof BatchKind];

export const RecordKind = {
  Entry: 1,
  Peer: 2,
  /** In boot batches: the mark of this seq never came into force; the log of before it holds. */
  VoidMark: 3,
} as const;
export type RecordKind = (typeof RecordKind)[keyof typeof RecordKind];

/** Bytes of a record beside an entry's payload, at most: head, kind, six varints of eight bytes. */
export const entryRecordOverheadMax: number = recordHeadBytes + 1 + 6 * 8;
export const peerRecordBytes: number = recordHeadBytes + 1 + 3 * 8;
export const voidMarkRecordBytes: number = recordHeadBytes + 1 + 8;

/** What a batch that holds one entry may need beside it; far more than nine voters bring about. */
const besideEntryBytesMax = 3 * blockBytes;

/** Largest payload of an entry that a segment of this size takes. */
export function walPayloadBytesMax(segmentBytes: number): number {
  return segmentBytes - firstBatchOffset - besideEntryBytesMax;
}

/**
 * Start value of every CRC in a segment. A recycled segment has a new nonce, so that batches of
 * its earlier use do not check (camunda#6098).
 */
export function nonceSeed(nonce: number): number {
  const bytes = new Uint8Array(8);
  writeU64(bytes, 0, nonce);
  return crc32c(bytes);
}

export function wholeBlocks(bytes: number): number {
  return Math.ceil(bytes / blockBytes) * blockBytes;
}

const TWO_POW_32 = 4294967296;
const EXACT_LIMIT = 9007199254740992;

/** A u64 of bytes not yet trusted: −1 when it is 2^53 or above. */
export function u64OrNone(bytes: Uint8Array, at: number): number {
  const value = readU32(bytes, at + 4) * TWO_POW_32 + readU32(bytes, at);
  return value < EXACT_LIMIT ? value : -1;
}
