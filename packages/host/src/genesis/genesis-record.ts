// Bytes of a genesis: on disk (DataDirectory.writeGenesis) and in genesis frames. The first byte is
// the format; nonsense decodes to null.
import { assert, ByteReader, ByteWriter } from "@quorate/base";
import type { GenesisMember, GenesisRecord } from "../peers/peers-api.ts";

const recordFormat = 1;
const membersMax = 64;
const urlsMax = 16;

export function encodeGenesisRecord(record: GenesisRecord): Uint8Array {
  assert(record.members.length <= membersMax, "a genesis of too many members");
  const writer = new ByteWriter();
  writer.u8(recordFormat);
  writer.varint(record.genesisId);
  writer.varint(record.members.length);
  for (const member of record.members) {
    assert(member.peerUrls.length <= urlsMax, "a member of too many peer URLs");
    writer.text(member.memberId);
    writer.varint(member.raftId);
    writer.text(member.name);
    writer.varint(member.peerUrls.length);
    for (const url of member.peerUrls) writer.text(url);
  }
  return writer.view();
}

export function decodeGenesisRecord(bytes: Uint8Array): GenesisRecord | null {
  const reader = new ByteReader(bytes);
  if (reader.u8() !== recordFormat) return null;
  const genesisId = reader.varint();
  const count = reader.varint();
  if (!reader.ok || count < 1 || count > membersMax) return null;
  const members: GenesisMember[] = [];
  for (let i = 0; i < count && reader.ok; i++) members.push(readMember(reader));
  if (!reader.ok || reader.remaining > 0) return null;
  return isSound(genesisId, members) ? { genesisId, members } : null;
}

function readMember(reader: ByteReader): GenesisMember {
  const memberId = reader.text();
  const raftId = reader.varint();
  const name = reader.text();
  const urlCount = reader.varint();
  const peerUrls: string[] = [];
  if (urlCount > urlsMax) reader.fail();
  for (let i = 0; i < urlCount && reader.ok; i++) peerUrls.push(reader.text());
  return { memberId, raftId, name, peerUrls };
}

function isSound(genesisId: number, members: readonly GenesisMember[]): boolean {
  const memberIds = new Set(members.map((member) => member.memberId));
  const raftIds = new Set(members.map((member) => member.raftId));
  return (
    genesisId >= 1 &&
    memberIds.size === members.length &&
    raftIds.size === members.length &&
    !raftIds.has(0)
  );
}
