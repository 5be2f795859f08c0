// What a member asks the leader about a lease for one of its clients, and the answer: bodies of frames.
// Nonsense decodes to null. The first byte is the format.
import { ByteReader, ByteWriter } from "@quorate/base";
import { leaseIdHigh, leaseIdLow, leaseIdOf } from "@quorate/kv";
import type { LeaseId } from "@quorate/kv";
import type { Session } from "@quorate/raft";

const format = 1;

/** On the wire: never reuse a value. */
export const LeaseQuestionKind = { Renew: 1, TimeToLive: 2 } as const;
export type LeaseQuestionKind = (typeof LeaseQuestionKind)[keyof typeof LeaseQuestionKind];

export interface LeaseAsk {
  /** Unique within the asking process. */
  readonly number: number;
  readonly kind: LeaseQuestionKind;
  readonly id: LeaseId;
}

/** On the wire: never reuse a value. */
export const LeaseOutcome = {
  Known: 1,
  Unknown: 2,
  NotLeader: 3,
  Overloaded: 4,
} as const;
export type LeaseOutcome = (typeof LeaseOutcome)[keyof typeof LeaseOutcome];

export interface LeaseAnswer {
  readonly number: number;
  readonly outcome: LeaseOutcome;
  /** Of Known; 0 otherwise. */
  readonly ttlSeconds: number;
  readonly grantedTtlSeconds: number;
}

const kinds: ReadonlySet<number> = new Set(Object.values(LeaseQuestionKind));
const outcomes: ReadonlySet<number> = new Set(Object.values(LeaseOutcome));

export function encodeLeaseAsk({ number, kind, id }: LeaseAsk): Uint8Array {
  const writer = new ByteWriter(24);
  writer.u8(format);
  writer.varint(number);
  writer.u8(kind);
  writer.u32(leaseIdHigh(id));
  writer.u32(leaseIdLow(id));
  return writer.view();
}

export function decodeLeaseAsk(body: Uint8Array): LeaseAsk | null {
  const reader = new ByteReader(body);
  const known = reader.u8() === format;
  const number = reader.varint();
  const kind = reader.u8();
  const id = leaseIdOf(reader.u32(), reader.u32());
  const isWhole = known && reader.ok && reader.done && kinds.has(kind);
  return isWhole ? { number, kind: kind as LeaseQuestionKind, id } : null;
}

/** `toSession`: of the process that asked. */
export function encodeLeaseAnswer(toSession: Session, answer: LeaseAnswer): Uint8Array {
  const writer = new ByteWriter(40);
  writer.u8(format);
  writer.varint(toSession);
  writer.varint(answer.number);
  writer.u8(answer.outcome);
  writer.varint(answer.ttlSeconds);
  writer.varint(answer.grantedTtlSeconds);
  return writer.view();
}

export function decodeLeaseAnswer(
  body: Uint8Array,
): { readonly toSession: Session; readonly answer: LeaseAnswer } | null {
  const reader = new ByteReader(body);
  const known = reader.u8() === format;
  const toSession = reader.varint();
  const number = reader.varint();
  const outcome = reader.u8();
  const ttlSeconds = reader.varint();
  const grantedTtlSeconds = reader.varint();
  if (!known || !reader.ok || !reader.done || !outcomes.has(outcome)) return null;
  const answer = { number, outcome: outcome as LeaseOutcome, ttlSeconds, grantedTtlSeconds };
  return { toSession, answer };
}
