// What a leader asks the voters before it gives a raft id's place to another disk (P3), and what they
// answer: bodies of frames. Nonsense decodes to null.
import { ByteReader, ByteWriter } from "@quorate/base";
import type { NodeId, Session } from "@quorate/raft";

export interface SilenceAsk {
  /** Of the asker's process: from 1, each once. */
  readonly round: number;
  readonly raftId: NodeId;
}

export interface SilenceAnswer {
  /** Of the process that asked. */
  readonly toSession: Session;
  readonly round: number;
  readonly raftId: NodeId;
  /** Since the last bytes of a session of it; since this process started when there were none. */
  readonly silentMs: number;
  /** Where it spoke from; empty: not heard. */
  readonly address: string;
}

const addressCharsMax = 200;

export function encodeSilenceAsk(ask: SilenceAsk): Uint8Array {
  const writer = new ByteWriter(32);
  writer.varint(ask.round);
  writer.varint(ask.raftId);
  return writer.view();
}

export function decodeSilenceAsk(body: Uint8Array): SilenceAsk | null {
  const reader = new ByteReader(body);
  const ask = { round: reader.varint(), raftId: reader.varint() };
  return reader.ok && reader.remaining === 0 ? ask : null;
}

export function encodeSilenceAnswer(answer: SilenceAnswer): Uint8Array {
  const writer = new ByteWriter(64);
  writer.varint(answer.toSession);
  writer.varint(answer.round);
  writer.varint(answer.raftId);
  writer.varint(Math.floor(answer.silentMs));
  writer.text(answer.address.slice(0, addressCharsMax));
  return writer.view();
}

export function decodeSilenceAnswer(body: Uint8Array): SilenceAnswer | null {
  const reader = new ByteReader(body);
  const answer = {
    toSession: reader.varint(),
    round: reader.varint(),
    raftId: reader.varint(),
    silentMs: reader.varint(),
    address: reader.text(),
  };
  return reader.ok && reader.remaining === 0 ? answer : null;
}
