// Bodies of the small frames beside Raft's messages: forwarded requests, their answers, digest
// points. Answers carry the asker's session (P4), and a write that of the process it was said to: a
// connection that comes again must not have it appended by that one's successor. Nonsense decodes to
// null.
import { ByteReader, ByteWriter } from "@quorate/base";
import type { Session } from "@quorate/raft";
import type { DigestPoint, ForwardNumber, ForwardOutcome } from "./peers-api.ts";

export interface ForwardedProposal {
  readonly toSession: Session;
  readonly number: ForwardNumber;
  readonly kind: number;
  readonly payload: Uint8Array;
}

export function encodeForwardProposal(
  toSession: Session,
  number: ForwardNumber,
  kind: number,
  payload: Uint8Array,
): Uint8Array {
  const writer = new ByteWriter(payload.length + 32);
  writer.varint(toSession);
  writer.varint(number);
  writer.varint(kind);
  writer.lengthBytes(payload);
  return writer.view();
}

export function decodeForwardProposal(body: Uint8Array): ForwardedProposal | null {
  const reader = new ByteReader(body);
  const forward = {
    toSession: reader.varint(),
    number: reader.varint(),
    kind: reader.varint(),
    payload: reader.lengthBytes(),
  };
  return whole(reader) ? forward : null;
}

export interface ForwardAnswer {
  readonly toSession: Session;
  readonly number: ForwardNumber;
  readonly outcome: ForwardOutcome;
  readonly index: number;
  readonly term: number;
}

export function encodeForwardAnswer(answer: ForwardAnswer): Uint8Array {
  const writer = new ByteWriter(48);
  writer.varint(answer.toSession);
  writer.varint(answer.number);
  writer.u8(answer.outcome);
  writer.varint(answer.index);
  writer.varint(answer.term);
  return writer.view();
}

export function decodeForwardAnswer(body: Uint8Array): ForwardAnswer | null {
  const reader = new ByteReader(body);
  const answer = {
    toSession: reader.varint(),
    number: reader.varint(),
    outcome: reader.u8() as ForwardOutcome,
    index: reader.varint(),
    term: reader.varint(),
  };
  return whole(reader) ? answer : null;
}

export function encodeForwardRead(number: ForwardNumber): Uint8Array {
  const writer = new ByteWriter(16);
  writer.varint(number);
  return writer.view();
}

export function decodeForwardRead(body: Uint8Array): ForwardNumber | null {
  const reader = new ByteReader(body);
  const number = reader.varint();
  return whole(reader) ? number : null;
}

export interface ForwardReadAnswer {
  readonly toSession: Session;
  readonly number: ForwardNumber;
  /** 0: refused. */
  readonly index: number;
}

export function encodeForwardReadAnswer(answer: ForwardReadAnswer): Uint8Array {
  const writer = new ByteWriter(32);
  writer.varint(answer.toSession);
  writer.varint(answer.number);
  writer.varint(answer.index);
  return writer.view();
}

export function decodeForwardReadAnswer(body: Uint8Array): ForwardReadAnswer | null {
  const reader = new ByteReader(body);
  const answer = { toSession: reader.varint(), number: reader.varint(), index: reader.varint() };
  return whole(reader) ? answer : null;
}

export interface StateAsk {
  /** Of the process that is asked. */
  readonly toSession: Session;
  /** The snapshot's index must not be below. */
  readonly index: number;
}

export function encodeStateAsk(ask: StateAsk): Uint8Array {
  const writer = new ByteWriter(24);
  writer.varint(ask.toSession);
  writer.varint(ask.index);
  return writer.view();
}

export function decodeStateAsk(body: Uint8Array): StateAsk | null {
  const reader = new ByteReader(body);
  const ask = { toSession: reader.varint(), index: reader.varint() };
  return whole(reader) ? ask : null;
}

export function encodeDigestPoint(point: DigestPoint): Uint8Array {
  const writer = new ByteWriter(32);
  writer.varint(point.index);
  writer.u32(point.liveLow);
  writer.u32(point.liveHigh);
  writer.u32(point.applyLow);
  writer.u32(point.applyHigh);
  return writer.view();
}

export function decodeDigestPoint(body: Uint8Array): DigestPoint | null {
  const reader = new ByteReader(body);
  const point = {
    index: reader.varint(),
    liveLow: reader.u32(),
    liveHigh: reader.u32(),
    applyLow: reader.u32(),
    applyHigh: reader.u32(),
  };
  return whole(reader) ? point : null;
}

function whole(reader: ByteReader): boolean {
  return reader.ok && reader.remaining === 0;
}
