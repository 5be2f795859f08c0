// After a refused write or sync the page cache may show batches that the disk does not have, and a
// later sync would call them durable without writing them (fsyncgate). So a start writes those anew
// that are not known to be durable (P8). Some of them may be acknowledged, and writing over a good
// sector may tear it: their bytes go into a file of their own first, from which a crash in between
// is made good.
//
//   block 0: magic u32 | format u16 | zero u16 | cluster id | raft id u64 | ranges u32 | crc u32 of the
//            bytes | ranges × (segment id u64, nonce u64, offset u64, length u64) | crc u32 of all that
//   then the bytes of the ranges, one after the other
import { assert, ByteReader, ByteWriter, crc32c, equalBytes } from "@quorate/base";
import { DiskError } from "../env.ts";
import type { Disk, DiskFile } from "../env.ts";
import type { WalIdentity } from "./batch-header.ts";
import { blockBytes, rewriteMagic, walFormat } from "./wal-format.ts";

export const rewriteName = "wal-again";

const rangesMax = 100;

/** Whole blocks of one segment in one use. */
export interface RewriteRange {
  readonly segmentId: number;
  readonly nonce: number;
  readonly offset: number;
  readonly length: number;
}

export interface Rewrite {
  readonly ranges: readonly RewriteRange[];
  /** Of all ranges, in order. */
  readonly bytes: Uint8Array;
}

export function encodeRewrite(identity: WalIdentity, rewrite: Rewrite): Uint8Array {
  const { ranges, bytes } = rewrite;
  assert(ranges.length <= rangesMax, "wal: a tail over too many segments");
  const writer = new ByteWriter(blockBytes + bytes.length);
  writer.u32(rewriteMagic);
  writer.u16(walFormat);
  writer.u16(0);
  writer.bytes(identity.clusterId);
  writer.u64(identity.raftId);
  writer.u32(ranges.length);
  writer.u32(crc32c(bytes));
  for (const range of ranges) {
    writer.u64(range.segmentId);
    writer.u64(range.nonce);
    writer.u64(range.offset);
    writer.u64(range.length);
  }
  writer.u32(crc32c(writer.view()));
  writer.pad(blockBytes);
  writer.bytes(bytes);
  return writer.take();
}

/** Null: not finished before a crash, damaged, or another member's. Never throws. */
export function decodeRewrite(identity: WalIdentity, file: Uint8Array): Rewrite | null {
  const reader = new ByteReader(file, 0, Math.min(file.length, blockBytes));
  const known = reader.u32() === rewriteMagic && reader.u16() === walFormat && reader.u16() === 0;
  const ours = equalBytes(reader.bytes(8), identity.clusterId) && reader.u64() === identity.raftId;
  const count = reader.u32();
  const crc = reader.u32();
  if (!reader.ok || !known || !ours || count > rangesMax) return null;
  const ranges: RewriteRange[] = [];
  let length = 0;
  for (let i = 0; i < count; i++) {
    const segmentId = reader.u64();
    const range = { segmentId, nonce: reader.u64(), offset: reader.u64(), length: reader.u64() };
    length += range.length;
    ranges.push(range);
  }
  const end = reader.position;
  const whole = reader.u32() === crc32c(file, 0, reader.ok ? end : 0);
  if (!reader.ok || !whole || file.length !== blockBytes + length) return null;
  const bytes = file.subarray(blockBytes);
  return crc32c(bytes) === crc ? { ranges, bytes } : null;
}

/** What an interrupted rewrite left, if it got as far as being durable or at least whole. */
export function readRewrite(disk: Disk, path: string, identity: WalIdentity): Rewrite | null {
  const size = disk.sizeNow(path);
  if (size === null) return null;
  const file = disk.openNow(path, false);
  if (file instanceof DiskError) return null;
  const content = new Uint8Array(size);
  const read = file.readNow(0, content);
  file.close();
  return read === size ? decodeRewrite(identity, content) : null;
}

/** The bytes of the ranges as they are now: recovery has just read and checked them. */
export function collectRewrite(
  ranges: readonly RewriteRange[],
  fileOf: (segmentId: number) => DiskFile,
): Rewrite | DiskError {
  const length = ranges.reduce((sum, range) => sum + range.length, 0);
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const range of ranges) {
    const part = bytes.subarray(at, at + range.length);
    const read = fileOf(range.segmentId).readNow(range.offset, part);
    if (read instanceof DiskError) return read;
    assert(read === range.length, "wal: what was read a moment ago cannot be read any more");
    at += range.length;
  }
  return { ranges, bytes };
}
