// Bytes of a message between two cores. Transport frames them; nothing here knows of frames,
// checksums or sessions' meaning. All bounds are checked and no bytes throw: a peer that sends
// nonsense is an outcome (null).
//
//   type u8 | present u16 | from | to | the fields whose bit is set in `present`, in bit order
//   AppendEntries only: then the entries part: count, entries (entry-codec.ts)
//
// Numbers are varints. A field of value 0 is absent, always, so that one message has one encoding.
// Heads differ from follower to follower, the entries part does not: it is encoded once and its
// bytes are put behind each head.
import { assert } from "@quorate/base";
import type { ByteReader, ByteWriter } from "@quorate/base";
import { isNodeId } from "./confchange/conf-state.ts";
import { readConfState, writeConfState } from "./confchange/codec.ts";
import type { Entry } from "./entry.ts";
import { decodeEntry, encodedEntryBytesMin, encodeEntry, entryLevelMax } from "./entry-codec.ts";
import { Message, MessageType } from "./message.ts";
import { SnapshotMeta } from "./types.ts";

const hasTerm = 1 << 0;
const hasSession = 1 << 1;
const hasToSession = 1 << 2;
const hasNumber = 1 << 3;
const hasIndex = 1 << 4;
const hasLogTerm = 1 << 5;
const hasCommit = 1 << 6;
const hasHintIndex = 1 << 7;
const hasHintTerm = 1 << 8;
const hasSentMs = 1 << 9;
const hasWallMs = 1 << 10;
const isReject = 1 << 11;
const isTransfer = 1 << 12;
const hasSnapshot = 1 << 13;
const hasRank = 1 << 14;
const presentMax = (1 << 15) - 1;

export function encodeMessage(writer: ByteWriter, message: Message): void {
  encodeMessageHead(writer, message);
  if (message.type === MessageType.AppendEntries) encodeEntries(writer, message.entries);
}

/** An AppendEntries head must be followed by the bytes of `encodeEntries` of its entries. */
export function encodeMessageHead(writer: ByteWriter, message: Message): void {
  checkShape(message);
  writer.u8(message.type);
  writer.u16(presentFields(message));
  writer.varint(message.from);
  writer.varint(message.to);
  writeNonZero(writer, message.term);
  writeNonZero(writer, message.session);
  writeNonZero(writer, message.toSession);
  writeNonZero(writer, message.number);
  writeNonZero(writer, message.index);
  writeNonZero(writer, message.logTerm);
  writeNonZero(writer, message.commit);
  writeNonZero(writer, message.hintIndex);
  writeNonZero(writer, message.hintTerm);
  writeNonZero(writer, message.sentMs);
  writeNonZero(writer, message.wallMs);
  if (message.snapshot !== null) writeSnapshot(writer, message.snapshot);
  writeNonZero(writer, message.rank);
}

/** The part that all followers at one index share. */
export function encodeEntries(writer: ByteWriter, entries: readonly Entry[]): void {
  writer.varint(entries.length);
  for (let i = 0; i < entries.length; i++) encodeEntry(writer, entries[i]!);
}

/**
 * Exactly one message from the reader, payloads as views of its bytes; null and a failed reader
 * when they are none. Entries are dense from index + 1, of terms from logTerm to the message's.
 */
export function decodeMessage(reader: ByteReader): Message | null {
  const type = reader.u8();
  const present = reader.u16();
  const from = reader.varint();
  const to = reader.varint();
  if (!isMessageType(type) || present > presentMax || !isNodeId(from) || !isNodeId(to)) {
    reader.fail();
    return null;
  }
  const message = new Message(type, from, to, readField(reader, present, hasTerm));
  readFields(reader, present, message);
  if (type === MessageType.AppendEntries) message.entries = readEntries(reader, message);
  if ((type === MessageType.InstallSnapshot) !== (message.snapshot !== null)) reader.fail();
  return reader.ok ? message : null;
}

function readFields(reader: ByteReader, present: number, message: Message): void {
  message.session = readField(reader, present, hasSession);
  message.toSession = readField(reader, present, hasToSession);
  message.number = readField(reader, present, hasNumber);
  message.index = readField(reader, present, hasIndex);
  message.logTerm = readField(reader, present, hasLogTerm);
  message.commit = readField(reader, present, hasCommit);
  message.hintIndex = readField(reader, present, hasHintIndex);
  message.hintTerm = readField(reader, present, hasHintTerm);
  message.sentMs = readField(reader, present, hasSentMs);
  message.wallMs = readField(reader, present, hasWallMs);
  message.reject = (present & isReject) !== 0;
  message.transfer = (present & isTransfer) !== 0;
  if ((present & hasSnapshot) !== 0) message.snapshot = readSnapshot(reader);
  message.rank = readField(reader, present, hasRank);
}

function presentFields(message: Message): number {
  let present = 0;
  if (message.term !== 0) present |= hasTerm;
  if (message.session !== 0) present |= hasSession;
  if (message.toSession !== 0) present |= hasToSession;
  if (message.number !== 0) present |= hasNumber;
  if (message.index !== 0) present |= hasIndex;
  if (message.logTerm !== 0) present |= hasLogTerm;
  if (message.commit !== 0) present |= hasCommit;
  if (message.hintIndex !== 0) present |= hasHintIndex;
  if (message.hintTerm !== 0) present |= hasHintTerm;
  if (message.sentMs !== 0) present |= hasSentMs;
  if (message.wallMs !== 0) present |= hasWallMs;
  if (message.reject) present |= isReject;
  if (message.transfer) present |= isTransfer;
  if (message.snapshot !== null) present |= hasSnapshot;
  if (message.rank !== 0) present |= hasRank;
  return present;
}

function writeNonZero(writer: ByteWriter, value: number): void {
  if (value !== 0) writer.varint(value);
}

/** A field that is present and zero has two encodings: refused. */
function readField(reader: ByteReader, present: number, bit: number): number {
  if ((present & bit) === 0) return 0;
  const value = reader.varint();
  if (value === 0) reader.fail();
  return value;
}

function writeSnapshot(writer: ByteWriter, snapshot: SnapshotMeta): void {
  assert(snapshot.index >= 1 && snapshot.term >= 1, "message codec: an empty snapshot");
  assert(snapshot.level <= entryLevelMax, "message codec: level of a snapshot");
  writer.varint(snapshot.index);
  writer.varint(snapshot.term);
  writer.varint(snapshot.checkpointId);
  writer.varint(snapshot.level);
  writer.varint(snapshot.wallMs);
  writeConfState(writer, snapshot.confState);
}

function readSnapshot(reader: ByteReader): SnapshotMeta | null {
  const index = reader.varint();
  const term = reader.varint();
  const checkpointId = reader.varint();
  const level = reader.varint();
  const wallMs = reader.varint();
  const confState = readConfState(reader);
  if (index < 1 || term < 1 || level > entryLevelMax) reader.fail();
  if (confState === null) return null;
  return new SnapshotMeta(index, term, confState, checkpointId, level, wallMs);
}

function readEntries(reader: ByteReader, message: Message): readonly Entry[] {
  const entries: Entry[] = [];
  const count = reader.varint();
  // Before anything is allocated: hostile counts cost nothing.
  if (count * encodedEntryBytesMin > reader.remaining) reader.fail();
  let term = message.logTerm;
  for (let i = 0; i < count && reader.ok; i++) {
    const entry = decodeEntry(reader);
    if (entry === null) break;
    if (entry.index !== message.index + 1 + i || entry.term < term) reader.fail();
    term = entry.term;
    entries.push(entry);
  }
  if (term > message.term) reader.fail();
  return entries;
}

/** What decodeMessage would refuse must not leave (pair assertion); of entries only the ends. */
function checkShape(message: Message): void {
  assert(isMessageType(message.type), "message codec: unknown type");
  assert(isNodeId(message.from) && isNodeId(message.to), "message codec: from and to");
  const isSnapshot = message.type === MessageType.InstallSnapshot;
  assert(isSnapshot === (message.snapshot !== null), "message codec: snapshot");
  if (message.type !== MessageType.AppendEntries) {
    assert(message.entries.length === 0, "message codec: entries outside AppendEntries");
    return;
  }
  const count = message.entries.length;
  if (count === 0) return;
  const first = message.entries[0]!;
  const last = message.entries[count - 1]!;
  assert(first.index === message.index + 1, "message codec: entries do not follow index");
  assert(last.index === message.index + count, "message codec: entries are not dense");
  assert(first.term >= message.logTerm, "message codec: entries are older than logTerm");
  assert(last.term <= message.term, "message codec: entries are newer than the message");
}

function isMessageType(type: number): type is MessageType {
  return (
    (type >= MessageType.AppendEntries && type <= MessageType.InstallSnapshot) ||
    type === MessageType.TimeoutNow
  );
}
