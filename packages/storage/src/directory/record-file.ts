// The envelope of the small files that are written whole: identity, manifest, tables. Magic, CRC,
// format version, length, generation, body, zeros up to 4 KiB. It stays the same in every format
// version, so that an old binary can tell a newer directory from a damaged one.
import { assert, crc32c, readU32, readU64, writeU32, writeU64 } from "@quorate/base";
import { DiskError } from "../env.ts";
import type { Disk } from "../env.ts";
import { padded } from "../medium.ts";

/** Four ASCII bytes at the start of a file. */
export const Magic = {
  Identity: "QIDY",
  Manifest: "QMAN",
  Tables: "QTAB",
  Peers: "QPER",
  Staging: "QSTG",
  SetAside: "QSET",
} as const;
export type Magic = (typeof Magic)[keyof typeof Magic];

export const recordHeaderBytes = 24;
/** Larger than any manifest or table of a sane directory; a longer file is not read. */
const recordBytesMax = 1_073_741_824;

export class RecordFile {
  readonly format: number;
  readonly generation: number;
  readonly body: Uint8Array;

  constructor(format: number, generation: number, body: Uint8Array) {
    this.format = format;
    this.generation = generation;
    this.body = body;
  }
}

/*
 *  0  4  magic
 *  4  4  CRC32C over 8 … 24 + length
 *  8  4  format version
 * 12  4  length of the body
 * 16  8  generation
 * 24     body, then zeros up to a multiple of 4 KiB
 */
export function encodeRecordFile(magic: Magic, record: RecordFile): Uint8Array {
  const end = recordHeaderBytes + record.body.length;
  assert(end <= recordBytesMax, "a record file is longer than a reader accepts");
  const bytes = new Uint8Array(padded(end));
  for (let i = 0; i < 4; i++) bytes[i] = magic.charCodeAt(i);
  writeU32(bytes, 8, record.format);
  writeU32(bytes, 12, record.body.length);
  writeU64(bytes, 16, record.generation);
  bytes.set(record.body, recordHeaderBytes);
  writeU32(bytes, 4, crc32c(bytes, 8, end));
  return bytes;
}

/** What is wrong with the bytes, or the record in them. What follows its body is not looked at. */
export function decodeRecordFile(magic: Magic, bytes: Uint8Array): RecordFile | string {
  if (bytes.length < recordHeaderBytes) return `only ${bytes.length} bytes long`;
  for (let i = 0; i < 4; i++) {
    if (bytes[i] !== magic.charCodeAt(i)) return `offset ${i}: not the magic ${magic}`;
  }
  const end = recordHeaderBytes + readU32(bytes, 12);
  if (end > bytes.length) return `says it is ${end} bytes long, is ${bytes.length}`;
  const crc = crc32c(bytes, 8, end);
  if (crc !== readU32(bytes, 4)) return `offset 4: CRC ${hex(readU32(bytes, 4))}, want ${hex(crc)}`;
  if (readU32(bytes, 20) > 0x1fffff) return "offset 16: a generation above 2^53";
  const body = bytes.subarray(recordHeaderBytes, end);
  return new RecordFile(readU32(bytes, 8), readU64(bytes, 16), body);
}

export function hex(crc: number): string {
  return crc.toString(16).padStart(8, "0");
}

/** The whole file; null when there is none, a line when it cannot be read. */
export function readWholeNow(disk: Disk, path: string): Uint8Array | string | null {
  const size = disk.sizeNow(path);
  if (size === null) return null;
  if (size > recordBytesMax) return `${size} bytes long, more than any such file`;
  const file = disk.openNow(path, false);
  if (file instanceof DiskError) return `cannot be opened: ${file.code}`;
  const bytes = new Uint8Array(size);
  const read = file.readNow(0, bytes);
  file.close();
  if (read instanceof DiskError) return `cannot be read: ${read.code}`;
  return read === size ? bytes : `only ${read} of ${size} bytes can be read`;
}
