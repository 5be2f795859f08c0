// The first block of a segment: which member's, which use of the file, and what came before. It is
// durable before the manifest names the segment, and never written again during that use.
//
//   0 magic u32 | 4 format u16 | 6 zero u16 | 8 cluster id | 16 raft id u64 | 24 id u64
//   32 nonce u64 | 40 predecessor's nonce u64 | 48 segment bytes u64 | 56 crc u32 | zeros
import { crc32c, equalBytes, readU16, readU32, writeU16, writeU32, writeU64 } from "@quorate/base";
import type { WalIdentity } from "./batch-header.ts";
import { blockBytes, nonceSeed, segmentMagic, u64OrNone, walFormat } from "./wal-format.ts";

export interface SegmentHeader {
  readonly id: number;
  readonly nonce: number;
  /** 0 in the very first segment of a directory. */
  readonly previousNonce: number;
  readonly segmentBytes: number;
}

const crcAt = 56;

export function encodeSegmentHeader(identity: WalIdentity, header: SegmentHeader): Uint8Array {
  const block = new Uint8Array(blockBytes);
  writeU32(block, 0, segmentMagic);
  writeU16(block, 4, walFormat);
  block.set(identity.clusterId, 8);
  writeU64(block, 16, identity.raftId);
  writeU64(block, 24, header.id);
  writeU64(block, 32, header.nonce);
  writeU64(block, 40, header.previousNonce);
  writeU64(block, 48, header.segmentBytes);
  writeU32(block, crcAt, crc32c(block, 0, crcAt, nonceSeed(header.nonce)));
  return block;
}

export type ParsedSegmentHeader =
  | { readonly found: "none" }
  | { readonly found: "header"; readonly header: SegmentHeader }
  /** Checks, and belongs to another member or cluster. */
  | { readonly found: "foreign" }
  | { readonly found: "newer"; readonly format: number };

export function parseSegmentHeader(block: Uint8Array, identity: WalIdentity): ParsedSegmentHeader {
  if (block.length < crcAt + 4 || readU32(block, 0) !== segmentMagic) return { found: "none" };
  const nonce = u64OrNone(block, 32);
  const seed = nonce < 0 ? 0 : nonceSeed(nonce);
  if (crc32c(block, 0, crcAt, seed) !== readU32(block, crcAt)) return { found: "none" };
  const format = readU16(block, 4);
  if (format !== walFormat) return { found: "newer", format };
  const raftId = u64OrNone(block, 16);
  if (raftId !== identity.raftId || !equalBytes(block.subarray(8, 16), identity.clusterId)) {
    return { found: "foreign" };
  }
  const header = {
    id: u64OrNone(block, 24),
    nonce,
    previousNonce: u64OrNone(block, 40),
    segmentBytes: u64OrNone(block, 48),
  };
  const whole = header.id >= 1 && nonce >= 1 && header.previousNonce >= 0;
  return whole ? { found: "header", header } : { found: "none" };
}
