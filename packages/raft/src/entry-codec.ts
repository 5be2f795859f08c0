// Bytes of an entry, the same in the log file and on the wire, so that it is encoded in one way
// only. Runs once per entry and member: no object but the entry and its payload view is made.
//
//   term varint | index varint | kind varint | level varint | wallMs varint | payload length-prefixed
//
// Example: term 3, index 300, kind 16, level 1, wallMs 1000, payload "ab"
//   03 | ac 02 | 10 | 01 | e8 07 | 02 61 62
import { assert } from "@quorate/base";
import type { ByteReader, ByteWriter } from "@quorate/base";
import { Entry } from "./entry.ts";

export const entryKindMax = 0xffff;
/** Levels travel as u32 in Level entries. */
export const entryLevelMax = 0xffffffff;
/** Six varints of one byte: what bounds a count of entries by the bytes at hand. */
export const encodedEntryBytesMin = 6;

export function encodeEntry(writer: ByteWriter, entry: Entry): void {
  assert(entry.term >= 1 && entry.index >= 1, "entry codec: term and index start at 1");
  assert(entry.kind <= entryKindMax && entry.level <= entryLevelMax, "entry codec: kind or level");
  writer.varint(entry.term);
  writer.varint(entry.index);
  writer.varint(entry.kind);
  writer.varint(entry.level);
  writer.varint(entry.wallMs);
  writer.lengthBytes(entry.payload);
}

/** Exactly one entry from the reader; null and a failed reader when its bytes are none. */
export function decodeEntry(reader: ByteReader): Entry | null {
  const term = reader.varint();
  const index = reader.varint();
  const kind = reader.varint();
  const level = reader.varint();
  const wallMs = reader.varint();
  const payload = reader.lengthBytes();
  if (term < 1 || index < 1 || kind > entryKindMax || level > entryLevelMax) reader.fail();
  return reader.ok ? new Entry(term, index, kind, level, wallMs, payload) : null;
}

/** What `encodeEntry` will write. */
export function encodedEntryBytes(entry: Entry): number {
  return (
    varintBytes(entry.term) +
    varintBytes(entry.index) +
    varintBytes(entry.kind) +
    varintBytes(entry.level) +
    varintBytes(entry.wallMs) +
    varintBytes(entry.payload.length) +
    entry.payload.length
  );
}

function varintBytes(value: number): number {
  let bytes = 1;
  for (let limit = 0x80; value >= limit; limit *= 0x80) bytes++;
  return bytes;
}
