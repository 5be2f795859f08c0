// What a process that is to join asks the members of the cluster, and what they answer (bodies of the
// frames JoinAsk and JoinAnswer). Nonsense decodes to null.
import { ByteReader, ByteWriter } from "@quorate/base";
import { decodeGenesisRecord, encodeGenesisRecord } from "../genesis/genesis-record.ts";
import type { Listed } from "../genesis/member-list.ts";
import { decodeTexts, encodeTexts, membersMax } from "../members/member-record.ts";
import type { GenesisRecord } from "../peers/peers-api.ts";

/** Whoever asks is known by its peer URLs, as in etcd. */
export interface JoinAsk {
  readonly name: string;
  readonly peerUrls: readonly string[];
}

/** Who the asker is, and all that it needs to speak with the others. */
export interface JoinFacts {
  readonly clusterId: string;
  readonly memberId: string;
  /** The genesis that the cluster stands on, which is the first configuration of its log. */
  readonly genesis: GenesisRecord;
  /** As the answering member has applied it; the asker among them. */
  readonly members: readonly Listed[];
}

/** A text: why not, in words for whoever starts the process. */
export type JoinAnswer = JoinFacts | string;

export const joinAnswerBytesMax = 1_048_576;

const format = 1;
const reasonCharsMax = 400;

export function encodeJoinAsk(ask: JoinAsk): Uint8Array {
  const writer = new ByteWriter();
  writer.u8(format);
  writer.text(ask.name);
  encodeTexts(writer, ask.peerUrls);
  return writer.take();
}

export function decodeJoinAsk(body: Uint8Array): JoinAsk | null {
  const reader = new ByteReader(body);
  if (reader.u8() !== format) return null;
  const ask = { name: reader.text(), peerUrls: decodeTexts(reader) };
  return reader.ok && reader.done ? ask : null;
}

export function encodeJoinAnswer(answer: JoinAnswer): Uint8Array {
  const writer = new ByteWriter();
  writer.u8(format);
  if (typeof answer === "string") {
    writer.text(answer.slice(0, reasonCharsMax));
    return writer.take();
  }
  writer.text("");
  writer.text(answer.clusterId);
  writer.text(answer.memberId);
  writer.lengthBytes(encodeGenesisRecord(answer.genesis));
  writer.varint(answer.members.length);
  for (const { memberId, name, peerUrls } of answer.members) {
    writer.text(memberId);
    writer.text(name);
    encodeTexts(writer, peerUrls);
  }
  return writer.take();
}

export function decodeJoinAnswer(body: Uint8Array): JoinAnswer | null {
  const reader = new ByteReader(body);
  if (reader.u8() !== format) return null;
  const reason = reader.text();
  if (reason !== "") return reader.ok && reader.done ? reason : null;
  const clusterId = reader.text();
  const memberId = reader.text();
  const genesis = decodeGenesisRecord(reader.lengthBytes());
  const count = reader.varint();
  if (!reader.ok || genesis === null || count > membersMax) return null;
  const members: Listed[] = [];
  for (let left = count; left > 0 && reader.ok; left -= 1) {
    members.push({ memberId: reader.text(), name: reader.text(), peerUrls: decodeTexts(reader) });
  }
  const isId = (id: string): boolean => /^[0-9a-f]{16}$/.test(id);
  const sound = reader.ok && reader.done && isId(clusterId) && isId(memberId);
  return sound ? { clusterId, memberId, genesis, members } : null;
}
