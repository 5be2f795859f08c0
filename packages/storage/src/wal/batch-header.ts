// The 256 bytes in front of every batch: who wrote it, where it stands, what came before, what is
// durable, and the full hard state (§3.2 point 2). A header that checks is believed in every field;
// parsing never throws on any bytes.
//
//    0 magic u32        32 bootCount u64      80 prev seq u64         128 commit u64
//    4 format u16       40 seq u64            88 prev lastIndex u64   136 durableSeq u64
//    6 kind u8          48 offset u64         96 prev lastTerm u64    144 lastIndex u64
//    7 zero u8          56 firstIndex u64    104 prev chainCrc u32    152 lastTerm u64
//    8 cluster id, 8 B  64 entries u32       108 zero u32             160 wallMs u64
//   16 raft id u64      68 records u32       112 term u64             168 mark index u64
//   24 nonce u64        72 payload bytes u32 120 vote u64             176 mark term u64
//                       76 payload crc u32                            184 mark checkpoint id u64
//   192 zeros … 252 crc u32 over bytes 0 … 251, started with the nonce's seed
//
// The header's own crc is the chainCrc of its successor: it covers the payload's crc and the chain
// before it, so one number names the whole log up to here.
import { assert, crc32c, equalBytes, readU16, readU32 } from "@quorate/base";
import type { ByteWriter } from "@quorate/base";
import type { Index, NodeId, Term } from "@quorate/raft";
import {
  batchHeaderBytes,
  batchMagic,
  BatchKind,
  blockBytes,
  nonceSeed,
  recordHeadBytes,
  u64OrNone,
  walFormat,
  wholeBlocks,
} from "./wal-format.ts";

/** Whose log this is; every header repeats it. */
export interface WalIdentity {
  /** Eight bytes. */
  readonly clusterId: Uint8Array;
  readonly raftId: NodeId;
}

export class BatchHeader {
  kind: BatchKind = BatchKind.Append;
  clusterId: Uint8Array = new Uint8Array(8);
  raftId: NodeId = 0;
  nonce: number = 0;
  bootCount: number = 0;
  /** From 1, without gaps. A number dropped with a torn tail is used again by a later boot. */
  seq: number = 0;
  /** Of this header in its segment. */
  offset: number = 0;
  /** 0 without entries. */
  firstIndex: Index = 0;
  entries: number = 0;
  records: number = 0;
  payloadBytes: number = 0;
  payloadCrc: number = 0;
  prevSeq: number = 0;
  prevLastIndex: Index = 0;
  prevLastTerm: Term = 0;
  prevChainCrc: number = 0;
  term: Term = 0;
  vote: NodeId = 0;
  commit: Index = 0;
  /** P8, as known when this batch was encoded: always below `seq`. */
  durableSeq: number = 0;
  /** End of the log after this batch. */
  lastIndex: Index = 0;
  lastTerm: Term = 0;
  wallMs: number = 0;
  markIndex: Index = 0;
  markTerm: Term = 0;
  markCheckpointId: number = 0;
  /** The header's own crc; set by writing and by parsing. */
  crc: number = 0;
}

/** From the batch's first byte to the first byte of the next one. */
export function batchBytes(header: BatchHeader): number {
  return wholeBlocks(batchHeaderBytes + header.payloadBytes);
}

const payloadBytesAt = 72;
const payloadCrcAt = 76;
const crcAt = 252;
const reserved = new Uint8Array(crcAt - 192);

/** Opens a batch in an empty writer; `sealBatchHeader` fills in what the payload decides. */
export function beginBatchHeader(writer: ByteWriter, h: BatchHeader): void {
  assert(writer.length === 0, "batch header: the writer is not empty");
  assert(h.durableSeq < h.seq && h.prevSeq === h.seq - 1, "batch header: numbers out of order");
  writer.u32(batchMagic);
  writer.u16(walFormat);
  writer.u8(h.kind);
  writer.u8(0);
  writer.bytes(h.clusterId);
  writer.u64(h.raftId);
  writer.u64(h.nonce);
  writer.u64(h.bootCount);
  writer.u64(h.seq);
  writer.u64(h.offset);
  writer.u64(h.firstIndex);
  writer.u32(h.entries);
  writer.u32(h.records);
  writer.u32(0);
  writer.u32(0);
  writer.u64(h.prevSeq);
  writer.u64(h.prevLastIndex);
  writer.u64(h.prevLastTerm);
  writer.u32(h.prevChainCrc);
  writer.u32(0);
  writer.u64(h.term);
  writer.u64(h.vote);
  writer.u64(h.commit);
  writer.u64(h.durableSeq);
  writer.u64(h.lastIndex);
  writer.u64(h.lastTerm);
  writer.u64(h.wallMs);
  writer.u64(h.markIndex);
  writer.u64(h.markTerm);
  writer.u64(h.markCheckpointId);
  writer.bytes(reserved);
  writer.u32(0);
  assert(writer.view().length === batchHeaderBytes, "batch header: its size is off");
}

/** The payload stands behind the header: its size and crc go in, then the header's own crc. */
export function sealBatchHeader(
  writer: ByteWriter,
  h: BatchHeader,
  payloadCrc: number,
  seed: number,
): void {
  h.payloadBytes = writer.length - batchHeaderBytes;
  h.payloadCrc = payloadCrc;
  writer.patchU32(payloadBytesAt, h.payloadBytes);
  writer.patchU32(payloadCrcAt, payloadCrc);
  h.crc = crc32c(writer.view(), 0, crcAt, seed);
  writer.patchU32(crcAt, h.crc);
}

/** What 256 bytes at a block's start may turn out to be. */
export type ParsedHeader =
  | { readonly found: "none" }
  | { readonly found: "header"; readonly header: BatchHeader }
  /** Checks by its own nonce, but belongs to another place, use, member or cluster. */
  | { readonly found: "foreign"; readonly header: BatchHeader }
  /** Checks, and is of a format that this binary does not know. */
  | { readonly found: "newer"; readonly format: number };

const none: ParsedHeader = { found: "none" };

/** Where the reader believes to be. */
export interface BatchPlace {
  readonly nonce: number;
  readonly offset: number;
  readonly segmentBytes: number;
}

export function parseBatchHeader(
  bytes: Uint8Array,
  at: number,
  identity: WalIdentity,
  place: BatchPlace,
): ParsedHeader {
  if (at + batchHeaderBytes > bytes.length || readU32(bytes, at) !== batchMagic) return none;
  const nonce = u64OrNone(bytes, at + 24);
  if (nonce < 0) return none;
  const crc = readU32(bytes, at + crcAt);
  if (crc32c(bytes, at, at + crcAt, nonceSeed(nonce)) !== crc) return none;
  const format = readU16(bytes, at + 4);
  if (format !== walFormat) return { found: "newer", format };
  const header = readFields(bytes, at);
  if (header === null) return none;
  header.crc = crc;
  const ours =
    header.nonce === place.nonce &&
    header.offset === place.offset &&
    header.raftId === identity.raftId &&
    equalBytes(header.clusterId, identity.clusterId);
  if (!ours) return { found: "foreign", header };
  return fits(header, place.segmentBytes) ? { found: "header", header } : none;
}

function readFields(bytes: Uint8Array, at: number): BatchHeader | null {
  const kind = bytes[at + 6]!;
  if (kind < BatchKind.Append || kind > BatchKind.Repair) return null;
  const h = new BatchHeader();
  h.kind = kind as BatchKind;
  h.clusterId = bytes.slice(at + 8, at + 16);
  h.raftId = u64OrNone(bytes, at + 16);
  h.nonce = u64OrNone(bytes, at + 24);
  h.bootCount = u64OrNone(bytes, at + 32);
  h.seq = u64OrNone(bytes, at + 40);
  h.offset = u64OrNone(bytes, at + 48);
  h.firstIndex = u64OrNone(bytes, at + 56);
  h.entries = readU32(bytes, at + 64);
  h.records = readU32(bytes, at + 68);
  h.payloadBytes = readU32(bytes, at + payloadBytesAt);
  h.payloadCrc = readU32(bytes, at + payloadCrcAt);
  h.prevSeq = u64OrNone(bytes, at + 80);
  h.prevLastIndex = u64OrNone(bytes, at + 88);
  h.prevLastTerm = u64OrNone(bytes, at + 96);
  h.prevChainCrc = readU32(bytes, at + 104);
  h.term = u64OrNone(bytes, at + 112);
  h.vote = u64OrNone(bytes, at + 120);
  h.commit = u64OrNone(bytes, at + 128);
  h.durableSeq = u64OrNone(bytes, at + 136);
  h.lastIndex = u64OrNone(bytes, at + 144);
  h.lastTerm = u64OrNone(bytes, at + 152);
  h.wallMs = u64OrNone(bytes, at + 160);
  h.markIndex = u64OrNone(bytes, at + 168);
  h.markTerm = u64OrNone(bytes, at + 176);
  h.markCheckpointId = u64OrNone(bytes, at + 184);
  return h;
}

/** Claims that no writer makes, whatever the crc says: never allocate or loop by them. */
function fits(h: BatchHeader, segmentBytes: number): boolean {
  const numbers =
    h.seq >= 1 && h.prevSeq === h.seq - 1 && h.durableSeq >= 0 && h.durableSeq < h.seq;
  const places = h.offset % blockBytes === 0 && h.offset + batchBytes(h) <= segmentBytes;
  const counts = h.entries <= h.records && h.records * recordHeadBytes <= h.payloadBytes;
  const indexes = h.entries === 0 ? h.firstIndex === 0 : h.firstIndex >= 1 && entriesFit(h);
  const rest = h.bootCount >= 0 && h.term >= 0 && h.vote >= 0 && h.commit >= 0 && h.wallMs >= 0;
  const ends = h.lastIndex >= 0 && h.lastTerm >= 0 && h.prevLastIndex >= 0 && h.prevLastTerm >= 0;
  const mark = h.markIndex >= 0 && h.markTerm >= 0 && h.markCheckpointId >= 0;
  return numbers && places && counts && indexes && rest && ends && mark;
}

/** Index of the last entry in a batch that holds some. */
export function lastEntryIndex(h: BatchHeader): Index {
  return h.firstIndex + h.entries - 1;
}

/** Entries end the log, but those that only fill it. */
function entriesFit(h: BatchHeader): boolean {
  const last = lastEntryIndex(h);
  return h.kind === BatchKind.Repair ? last <= h.lastIndex : last === h.lastIndex;
}
