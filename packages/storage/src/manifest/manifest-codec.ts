// The manifest's bytes: which files are in force. Pure; manifest.ts reads and writes the copies.
// Layout: docs/spec/storage-format.md.
import { ByteReader, ByteWriter } from "@quorate/base";
import { idFromBytes, idToBytes } from "../directory/identity.ts";
import type {
  CheckpointEntry,
  ManifestState,
  RowSegmentEntry,
  WalSegmentEntry,
} from "./manifest-api.ts";

export const manifestFormat = 1;

/** Bound of what one directory may hold; a longer list in a file is damage. */
const segmentsMax = 1_000_000;

/** A manifest and whose it is: one that was copied from another member is not ours. */
export interface OwnedManifest {
  readonly clusterId: string;
  readonly raftId: number;
  readonly state: ManifestState;
}

export function encodeManifest(owned: OwnedManifest): Uint8Array {
  const { state } = owned;
  const writer = new ByteWriter();
  writer.bytes(idToBytes(owned.clusterId));
  writer.u64(owned.raftId);
  writer.u32(state.walSegments.length);
  for (const segment of state.walSegments) {
    writer.u64(segment.id);
    writer.u64(segment.nonce);
    writer.u64(segment.bytes);
  }
  writer.u32(state.rowSegments.length);
  for (const segment of state.rowSegments) {
    writer.text(segment.name);
    writer.u64(segment.nonce);
    writer.u64(segment.originRaftId);
    writer.u64(segment.bytes);
    writer.u32(segment.crc);
    writer.u8(segment.sealed ? 1 : 0);
    writer.u64(segment.firstMain);
  }
  writer.u8(state.checkpoint === null ? 0 : 1);
  if (state.checkpoint !== null) writeCheckpoint(writer, state.checkpoint);
  return writer.take();
}

function writeCheckpoint(writer: ByteWriter, checkpoint: CheckpointEntry): void {
  writer.u64(checkpoint.id);
  writer.u64(checkpoint.index);
  writer.u64(checkpoint.term);
  writer.text(checkpoint.tablesName);
  writer.u64(checkpoint.tablesBytes);
  writer.u32(checkpoint.tablesCrc);
  writer.u64(checkpoint.durableSeq);
}

/** Null: not a manifest of this format, although its CRC holds. */
export function decodeManifest(body: Uint8Array, generation: number): OwnedManifest | null {
  const reader = new ByteReader(body);
  const clusterId = idFromBytes(reader.bytes(8));
  const raftId = reader.u64();
  const walSegments = readList(reader, readWalSegment);
  const rowSegments = readList(reader, readRowSegment);
  const hasCheckpoint = reader.u8();
  const checkpoint = hasCheckpoint === 1 ? readCheckpoint(reader) : null;
  if (!reader.ok || reader.remaining > 0 || hasCheckpoint > 1) return null;
  return { clusterId, raftId, state: { generation, walSegments, rowSegments, checkpoint } };
}

function readList<T>(reader: ByteReader, read: (reader: ByteReader) => T): T[] {
  const count = reader.u32();
  if (count > segmentsMax) reader.fail();
  const list: T[] = [];
  for (let i = 0; i < count && reader.ok; i++) list.push(read(reader));
  return list;
}

function readWalSegment(reader: ByteReader): WalSegmentEntry {
  return { id: reader.u64(), nonce: reader.u64(), bytes: reader.u64() };
}

function readRowSegment(reader: ByteReader): RowSegmentEntry {
  return {
    name: reader.text(),
    nonce: reader.u64(),
    originRaftId: reader.u64(),
    bytes: reader.u64(),
    crc: reader.u32(),
    sealed: reader.u8() === 1,
    firstMain: reader.u64(),
  };
}

function readCheckpoint(reader: ByteReader): CheckpointEntry {
  return {
    id: reader.u64(),
    index: reader.u64(),
    term: reader.u64(),
    tablesName: reader.text(),
    tablesBytes: reader.u64(),
    tablesCrc: reader.u32(),
    durableSeq: reader.u64(),
  };
}
