// The tables file of a checkpoint: the replicated tables' sections, which a snapshot carries to
// others, then this member's records of its peers' sessions (P4), which it does not. Two record
// files one behind the other. Pure codec.
import { ByteReader, ByteWriter, concatBytes, crc32c } from "@quorate/base";
import { TableRecord } from "@quorate/kv";
import {
  decodeRecordFile,
  encodeRecordFile,
  Magic,
  RecordFile,
  recordHeaderBytes,
} from "../directory/record-file.ts";
import { padded } from "../medium.ts";
import { PeerRecord } from "../storage-api.ts";
import type { CheckpointInfo } from "../storage-api.ts";

export const tablesFormat = 1;

const tablesMax = 4096;
const peersMax = 65_536;

export interface TablesFile {
  readonly info: CheckpointInfo;
  readonly peers: readonly PeerRecord[];
  /** Length and CRC32C of the first part: what a snapshot carries. */
  readonly sharedBytes: number;
  readonly sharedCrc: number;
}

/** First part: equal on every member that has this checkpoint. */
export function encodeTables(info: CheckpointInfo): Uint8Array {
  const writer = new ByteWriter();
  writer.u64(info.id);
  writer.u64(info.index);
  writer.u64(info.term);
  writer.u32(info.tables.length);
  for (const table of info.tables) {
    writer.text(table.name);
    writer.lengthBytes(table.bytes);
  }
  return encodeRecordFile(Magic.Tables, new RecordFile(tablesFormat, info.index, writer.view()));
}

/** Second part, behind the first. */
export function encodePeers(index: number, peers: readonly PeerRecord[]): Uint8Array {
  const writer = new ByteWriter();
  writer.u32(peers.length);
  for (const peer of peers) {
    writer.u64(peer.raftId);
    writer.u64(peer.bootCount);
    writer.u64(peer.session);
  }
  return encodeRecordFile(Magic.Peers, new RecordFile(tablesFormat, index, writer.view()));
}

export function encodeTablesFile(info: CheckpointInfo, peers: readonly PeerRecord[]): Uint8Array {
  return concatBytes([encodeTables(info), encodePeers(info.index, peers)]);
}

/** The first part alone: what a snapshot brought. A line says what is wrong. */
export function decodeTables(bytes: Uint8Array): CheckpointInfo | string {
  const record = decodeRecordFile(Magic.Tables, bytes);
  if (typeof record === "string") return record;
  if (record.format !== tablesFormat) return `format ${record.format} is not known`;
  const reader = new ByteReader(record.body);
  const id = reader.u64();
  const index = reader.u64();
  const term = reader.u64();
  const count = reader.u32();
  if (count > tablesMax) reader.fail();
  const tables: TableRecord[] = [];
  for (let i = 0; i < count && reader.ok; i++) {
    tables.push(new TableRecord(reader.text(), reader.lengthBytes()));
  }
  if (!reader.ok || reader.remaining > 0) return "valid CRC, but no tables of this format";
  return { id, index, term, tables };
}

export function decodeTablesFile(bytes: Uint8Array): TablesFile | string {
  const info = decodeTables(bytes);
  if (typeof info === "string") return info;
  const record = decodeRecordFile(Magic.Tables, bytes) as RecordFile;
  const sharedBytes = padded(recordHeaderBytes + record.body.length);
  const peers = decodePeers(bytes.subarray(Math.min(sharedBytes, bytes.length)));
  if (typeof peers === "string") return `offset ${sharedBytes}: peers: ${peers}`;
  return { info, peers, sharedBytes, sharedCrc: crc32c(bytes, 0, sharedBytes) };
}

function decodePeers(bytes: Uint8Array): PeerRecord[] | string {
  const record = decodeRecordFile(Magic.Peers, bytes);
  if (typeof record === "string") return record;
  const reader = new ByteReader(record.body);
  const count = reader.u32();
  if (count > peersMax) reader.fail();
  const peers: PeerRecord[] = [];
  for (let i = 0; i < count && reader.ok; i++) {
    peers.push(new PeerRecord(reader.u64(), reader.u64(), reader.u64()));
  }
  if (!reader.ok || reader.remaining > 0) return "valid CRC, but no peers of this format";
  return peers;
}
