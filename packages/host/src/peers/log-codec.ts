// What a member asks for that has lost entries of its log, and what its peers answer from theirs: bodies
// of frames. Nonsense decodes to null.
import { ByteReader, ByteWriter } from "@quorate/base";
import { decodeEntry, encodeEntries } from "@quorate/raft";
import type { Entry, Index, Session, Term } from "@quorate/raft";

export interface LogAsk {
  /** Of the asker's process: from 1, ascending. */
  readonly number: number;
  /** The last entry that the asker has, and below which it has all. */
  readonly beforeIndex: Index;
  readonly beforeTerm: Term;
  /** An entry behind those that it has lost, which it held: by it they are known (Log Matching). */
  readonly upToIndex: Index;
  readonly upToTerm: Term;
}

export const LogOutcome = {
  Have: 1,
  /** The log begins above what is asked for. */
  Compacted: 2,
  /** It does not hold both entries: it may be another log, or has holes itself. */
  NotMine: 3,
} as const;
export type LogOutcome = (typeof LogOutcome)[keyof typeof LogOutcome];

export interface LogAnswer {
  /** Of the process that asked. */
  readonly toSession: Session;
  readonly number: number;
  readonly outcome: LogOutcome;
  /** Dense from beforeIndex + 1 on, at most to upToIndex; empty unless Have. */
  readonly entries: readonly Entry[];
}

const outcomes: ReadonlySet<number> = new Set(Object.values(LogOutcome));

export function encodeLogAsk(ask: LogAsk): Uint8Array {
  const writer = new ByteWriter(40);
  writer.varint(ask.number);
  writer.varint(ask.beforeIndex);
  writer.varint(ask.beforeTerm);
  writer.varint(ask.upToIndex);
  writer.varint(ask.upToTerm);
  return writer.view();
}

export function decodeLogAsk(body: Uint8Array): LogAsk | null {
  const reader = new ByteReader(body);
  const ask = {
    number: reader.varint(),
    beforeIndex: reader.varint(),
    beforeTerm: reader.varint(),
    upToIndex: reader.varint(),
    upToTerm: reader.varint(),
  };
  const isWhole = reader.ok && reader.remaining === 0;
  return isWhole && ask.beforeIndex < ask.upToIndex ? ask : null;
}

export function encodeLogAnswer(answer: LogAnswer): Uint8Array {
  const writer = new ByteWriter(64);
  writer.varint(answer.toSession);
  writer.varint(answer.number);
  writer.u8(answer.outcome);
  encodeEntries(writer, answer.entries);
  return writer.view();
}

export function decodeLogAnswer(body: Uint8Array): LogAnswer | null {
  const reader = new ByteReader(body);
  const toSession = reader.varint();
  const number = reader.varint();
  const outcome = reader.u8();
  const entries: Entry[] = [];
  for (let left = reader.varint(); left > 0 && reader.ok; left--) {
    const entry = decodeEntry(reader);
    if (entry === null) return null;
    entries.push(entry);
  }
  if (!reader.ok || reader.remaining > 0 || !outcomes.has(outcome)) return null;
  return { toSession, number, outcome: outcome as LogOutcome, entries };
}
