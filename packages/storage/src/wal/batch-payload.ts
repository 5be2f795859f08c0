// The records of a batch. Their CRCs form one running chain, started with the segment nonce's seed
// and ended by the crc in the batch header: every byte is summed once, and lost, doubled or
// reordered records show. Decoding never throws on any bytes.
import { ByteReader, crc32c } from "@quorate/base";
import type { ByteWriter } from "@quorate/base";
import { decodeEntry, encodeEntry } from "@quorate/raft";
import type { Entry } from "@quorate/raft";
import { PeerRecord } from "../storage-api.ts";
import { recordHeadBytes, RecordKind } from "./wal-format.ts";
import type { BatchHeader } from "./batch-header.ts";

/** Appends an entry's record; the running crc goes in and comes out. */
export function writeEntryRecord(writer: ByteWriter, entry: Entry, running: number): number {
  const at = beginRecord(writer, RecordKind.Entry);
  encodeEntry(writer, entry);
  return endRecord(writer, at, running);
}

export function writePeerRecord(writer: ByteWriter, peer: PeerRecord, running: number): number {
  const at = beginRecord(writer, RecordKind.Peer);
  writer.u64(peer.raftId);
  writer.u64(peer.bootCount);
  writer.u64(peer.session);
  return endRecord(writer, at, running);
}

export function writeVoidMarkRecord(writer: ByteWriter, seq: number, running: number): number {
  const at = beginRecord(writer, RecordKind.VoidMark);
  writer.u64(seq);
  return endRecord(writer, at, running);
}

function beginRecord(writer: ByteWriter, kind: RecordKind): number {
  const at = writer.length;
  writer.u32(0);
  writer.u32(0);
  writer.u8(kind);
  return at;
}

function endRecord(writer: ByteWriter, at: number, running: number): number {
  const end = writer.length;
  writer.patchU32(at + 4, end - at - recordHeadBytes);
  const crc = crc32c(writer.view(), at + 4, end, running);
  writer.patchU32(at, crc);
  return crc;
}

/** True when lengths, chain and the header's claims all agree. */
export function payloadChecks(header: BatchHeader, payload: Uint8Array, seed: number): boolean {
  if (payload.length !== header.payloadBytes) return false;
  const reader = new ByteReader(payload);
  let running = seed;
  for (let i = 0; i < header.records; i++) {
    const crc = reader.u32();
    const start = reader.position;
    reader.skip(reader.u32());
    if (!reader.ok) return false;
    running = crc32c(payload, start, reader.position, running);
    if (running !== crc) return false;
  }
  return reader.done && running === header.payloadCrc;
}

export interface BatchPayload {
  readonly entries: readonly Entry[];
  readonly peers: readonly PeerRecord[];
  readonly voidMarks: readonly number[];
}

/**
 * The records of a payload that checks. Null: bytes that some writer summed up correctly and that
 * are no records of this format or not those the header speaks of. Entries are views of `payload`.
 */
export function decodePayload(header: BatchHeader, payload: Uint8Array): BatchPayload | null {
  const entries: Entry[] = [];
  const peers: PeerRecord[] = [];
  const voidMarks: number[] = [];
  const heads = new ByteReader(payload);
  for (let i = 0; i < header.records; i++) {
    heads.skip(4);
    const body = heads.bytes(heads.u32());
    if (!heads.ok || !decodeRecord(body, entries, peers, voidMarks)) return null;
  }
  const counted = entries.length === header.entries && heads.done;
  return counted && dense(header, entries) ? { entries, peers, voidMarks } : null;
}

function decodeRecord(
  body: Uint8Array,
  entries: Entry[],
  peers: PeerRecord[],
  voidMarks: number[],
): boolean {
  const reader = new ByteReader(body);
  switch (reader.u8()) {
    case RecordKind.Entry: {
      const entry = decodeEntry(reader);
      if (entry !== null) entries.push(entry);
      break;
    }
    case RecordKind.Peer:
      peers.push(new PeerRecord(reader.u64(), reader.u64(), reader.u64()));
      break;
    case RecordKind.VoidMark:
      voidMarks.push(reader.u64());
      break;
    default:
      return false;
  }
  return reader.ok && reader.done;
}

function dense(header: BatchHeader, entries: readonly Entry[]): boolean {
  let term = 0;
  for (let i = 0; i < entries.length; i++) {
    const entry = entries[i]!;
    if (entry.index !== header.firstIndex + i || entry.term < term) return false;
    term = entry.term;
  }
  const isEnd = entries.length > 0 && entries.at(-1)!.index === header.lastIndex;
  return !isEnd || term === header.lastTerm;
}
