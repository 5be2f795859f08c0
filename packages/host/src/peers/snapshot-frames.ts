// Bodies of the frames that move a snapshot. A position counts the bytes of all files in their
// order. Nonsense decodes to null.
import { assert, ByteReader, ByteWriter, emptyBytes } from "@quorate/base";
import { decodeMessage, encodeMessage, MessageType } from "@quorate/raft";
import type { Message } from "@quorate/raft";
import type { SnapshotFile } from "@quorate/storage";

export const chunkBytesMax = 1_048_576;
const filesMax = 65_536;
const fileNameCharsMax = 256;

/** Sender to receiver: take this. Said again, it asks where to go on. */
export interface SnapshotOffer {
  /** Number of the transfer, unique within the sender's process (P4). */
  readonly transfer: number;
  /** The InstallSnapshot to step the receiver with when all bytes are staged. */
  readonly message: Message;
  readonly files: readonly SnapshotFile[];
}

export function encodeSnapshotOffer(offer: SnapshotOffer): Uint8Array {
  assert(offer.message.type === MessageType.InstallSnapshot, "an offer is of a snapshot");
  assert(offer.files.length <= filesMax, "a snapshot of too many files");
  const writer = new ByteWriter(256 + 64 * offer.files.length);
  const message = new ByteWriter();
  encodeMessage(message, offer.message);
  writer.varint(offer.transfer);
  writer.lengthBytes(message.view());
  writer.varint(offer.files.length);
  for (const file of offer.files) {
    writer.text(file.name);
    writer.varint(file.bytes);
    writer.u32(file.crc);
  }
  return writer.view();
}

export function decodeSnapshotOffer(body: Uint8Array): SnapshotOffer | null {
  const reader = new ByteReader(body);
  const transfer = reader.varint();
  const messageReader = new ByteReader(reader.lengthBytes());
  const message = decodeMessage(messageReader);
  const count = reader.varint();
  if (!reader.ok || count > filesMax || message === null) return null;
  const files: SnapshotFile[] = [];
  for (let i = 0; i < count && reader.ok; i++) {
    const file = { name: reader.text(), bytes: reader.varint(), crc: reader.u32() };
    if (file.name === "" || file.name.length > fileNameCharsMax) return null;
    files.push(file);
  }
  const whole = messageReader.remaining === 0 && reader.ok && reader.remaining === 0;
  const sound = message.type === MessageType.InstallSnapshot && transfer >= 1;
  return whole && sound && Number.isSafeInteger(totalBytes(files))
    ? { transfer, message, files }
    : null;
}

export function totalBytes(files: readonly SnapshotFile[]): number {
  let bytes = 0;
  for (const file of files) bytes += file.bytes;
  return bytes;
}

/** Receiver to sender: how far it is. Answers an offer and every chunk. */
export interface SnapshotAck {
  readonly transfer: number;
  /** Bytes staged. */
  readonly written: number;
  /** Bytes taken, staged or about to be: what comes next. Invariant: written ≤ expected. */
  readonly expected: number;
  /** What came was not what comes next. */
  readonly gap: boolean;
}

export function encodeSnapshotAck(ack: SnapshotAck): Uint8Array {
  const writer = new ByteWriter(32);
  writer.varint(ack.transfer);
  writer.varint(ack.written);
  writer.varint(ack.expected);
  writer.u8(ack.gap ? 1 : 0);
  return writer.view();
}

export function decodeSnapshotAck(body: Uint8Array): SnapshotAck | null {
  const reader = new ByteReader(body);
  const ack = {
    transfer: reader.varint(),
    written: reader.varint(),
    expected: reader.varint(),
    gap: reader.u8() === 1,
  };
  return reader.ok && reader.remaining === 0 && ack.written <= ack.expected ? ack : null;
}

/** Written straight behind the frame's header: chunks are large. */
export function writeSnapshotChunk(
  writer: ByteWriter,
  transfer: number,
  position: number,
  bytes: Uint8Array,
): void {
  writer.varint(transfer);
  writer.varint(position);
  writer.bytes(bytes);
}

export interface SnapshotChunk {
  readonly transfer: number;
  readonly position: number;
  readonly bytes: Uint8Array;
}

export function decodeSnapshotChunk(body: Uint8Array): SnapshotChunk | null {
  const reader = new ByteReader(body);
  const transfer = reader.varint();
  const position = reader.varint();
  const bytes = reader.ok ? reader.bytes(reader.remaining) : emptyBytes;
  const sound = bytes.length >= 1 && bytes.length <= chunkBytesMax;
  return reader.ok && sound ? { transfer, position, bytes } : null;
}

/** The transfer is over: said by the receiver with its outcome, by the sender when it gives up. */
export interface SnapshotEnd {
  readonly transfer: number;
  readonly ok: boolean;
  readonly reason: string;
}

export function encodeSnapshotEnd(end: SnapshotEnd): Uint8Array {
  const writer = new ByteWriter(64);
  writer.varint(end.transfer);
  writer.u8(end.ok ? 1 : 0);
  writer.text(end.reason);
  return writer.view();
}

export function decodeSnapshotEnd(body: Uint8Array): SnapshotEnd | null {
  const reader = new ByteReader(body);
  const end = { transfer: reader.varint(), ok: reader.u8() === 1, reason: reader.text() };
  return reader.ok && reader.remaining === 0 ? end : null;
}
