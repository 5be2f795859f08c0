// A row's bytes in a row segment. Fixed header of 68 bytes, extension, key, value; a CRC32C mixed
// with the segment's nonce and the row's offset, so that a row of another segment, of an earlier use
// or written to the wrong place is not taken for this one. Layout: docs/spec/storage-format.md.
import { crc32c, writeU64 } from "@quorate/base";
import { Row } from "@quorate/kv";
import type { ScannedRow } from "@quorate/kv";

/*
 *  0  1  format: 1 (0: padding up to the next multiple of 4 KiB)
 *  1  1  flags: 1 tombstone
 *  2  2  length of the extension
 *  4  4  CRC32C over [0, 4) and [8, end), started from the segment's seed XOR the row's offset
 *  8  8  mod revision, main
 * 16  4  mod revision, sub
 * 20  4  length of the key
 * 24  4  length of the value
 * 28  8  create revision
 * 36  8  version
 * 44  4  lease, high half
 * 48  4  lease, low half
 * 52  8  hlc
 * 60  6  origin sequence
 * 66  1  origin
 * 67  1  0
 * 68     extension, key, value
 */
export const rowHeaderBytes = 68;
export const rowFormat = 1;
const flagTombstone = 1;

const twoPow32 = 4294967296;
const u53HighMax = 0x1fffff;

/** A segment's bytes or a part of them, with the view that reads them fastest. */
export class RowBlock {
  readonly bytes: Uint8Array;
  readonly view: DataView;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }
}

export function encodedRowBytes(row: Row): number {
  return rowHeaderBytes + row.key.length + row.value.length;
}

/** Mixed into the CRC of every row of a segment. */
export function seedOf(nonce: number): number {
  const bytes = new Uint8Array(8);
  writeU64(bytes, 0, nonce);
  return crc32c(bytes);
}

function rowCrc(block: RowBlock, at: number, length: number, seed: number, offset: number): number {
  const head = crc32c(block.bytes, at, at + 4, (seed ^ offset) >>> 0);
  return crc32c(block.bytes, at + 8, at + length, head);
}

function setU64(view: DataView, at: number, value: number): void {
  view.setUint32(at, value >>> 0, true);
  view.setUint32(at + 4, Math.floor(value / twoPow32), true);
}

function getU64(view: DataView, at: number): number {
  return view.getUint32(at + 4, true) * twoPow32 + view.getUint32(at, true);
}

/** Writes the row at `at`, which is `offset` in its segment. */
export function encodeRow(
  block: RowBlock,
  at: number,
  row: Row,
  seed: number,
  offset: number,
): void {
  const { bytes, view } = block;
  const keyAt = at + rowHeaderBytes;
  const valueAt = keyAt + row.key.length;
  view.setUint32(at, rowFormat | (row.tombstone ? flagTombstone << 8 : 0), true);
  setU64(view, at + 8, row.main);
  view.setUint32(at + 16, row.sub, true);
  view.setUint32(at + 20, row.key.length, true);
  view.setUint32(at + 24, row.value.length, true);
  setU64(view, at + 28, row.createRevision);
  setU64(view, at + 36, row.version);
  view.setUint32(at + 44, row.leaseHigh, true);
  view.setUint32(at + 48, row.leaseLow, true);
  setU64(view, at + 52, row.hlc);
  setU64(view, at + 60, row.originSequence);
  bytes[at + 66] = row.origin;
  bytes[at + 67] = 0;
  bytes.set(row.key, keyAt);
  bytes.set(row.value, valueAt);
  const length = valueAt + row.value.length - at;
  view.setUint32(at + 4, rowCrc(block, at, length, seed, offset), true);
}

/** Rewriting: the row's bytes stay, the CRC becomes that of its new place. */
export function resealRow(
  block: RowBlock,
  at: number,
  length: number,
  seed: number,
  offset: number,
): void {
  block.view.setUint32(at + 4, rowCrc(block, at, length, seed, offset), true);
}

/**
 * Length of the row at `at`, by its header alone; 0: padding; -1: not a row of this format. It may
 * lie beyond `end`: then more bytes are needed, or the file is cut.
 */
export function rowLength(block: RowBlock, at: number, end: number): number {
  const format = block.bytes[at]!;
  if (format === 0) return 0;
  if (format !== rowFormat) return -1;
  if (at + rowHeaderBytes > end) return rowHeaderBytes;
  const { view } = block;
  return (
    rowHeaderBytes +
    view.getUint16(at + 2, true) +
    view.getUint32(at + 20, true) +
    view.getUint32(at + 24, true)
  );
}

/** Null: the row is whole and where it belongs. Otherwise what is wrong. */
export function rowProblem(
  block: RowBlock,
  at: number,
  length: number,
  seed: number,
  offset: number,
): string | null {
  const crc = rowCrc(block, at, length, seed, offset);
  const stored = block.view.getUint32(at + 4, true);
  return crc === stored ? null : `CRC ${crcHex(stored)}, want ${crcHex(crc)}`;
}

function crcHex(crc: number): string {
  return crc.toString(16).padStart(8, "0");
}

export function rowMain(block: RowBlock, at: number): number {
  const high = block.view.getUint32(at + 12, true);
  return high > u53HighMax ? -1 : getU64(block.view, at + 8);
}

export function rowSub(block: RowBlock, at: number): number {
  return block.view.getUint32(at + 16, true);
}

/** Of a row that was checked, without any view or object. */
export function decodeInto(row: ScannedRow, block: RowBlock, at: number): void {
  const { bytes, view } = block;
  const keyAt = at + rowHeaderBytes + view.getUint16(at + 2, true);
  const valueAt = keyAt + view.getUint32(at + 20, true);
  row.main = getU64(view, at + 8);
  row.sub = view.getUint32(at + 16, true);
  row.tombstone = (bytes[at + 1]! & flagTombstone) !== 0;
  row.createRevision = getU64(view, at + 28);
  row.version = getU64(view, at + 36);
  row.leaseHigh = view.getUint32(at + 44, true);
  row.leaseLow = view.getUint32(at + 48, true);
  row.hlc = getU64(view, at + 52);
  row.origin = bytes[at + 66]!;
  row.originSequence = view.getUint32(at + 60, true) + view.getUint16(at + 64, true) * twoPow32;
  row.block = bytes;
  row.keyAt = keyAt;
  row.valueAt = valueAt;
  row.end = valueAt + view.getUint32(at + 24, true);
}

/** Of a row that was checked. Key and value are views: the block must not be reused. */
export function decodeRow(block: RowBlock, at: number): Row {
  const { bytes, view } = block;
  const keyAt = at + rowHeaderBytes + view.getUint16(at + 2, true);
  const valueAt = keyAt + view.getUint32(at + 20, true);
  return new Row(
    getU64(view, at + 8),
    view.getUint32(at + 16, true),
    (bytes[at + 1]! & flagTombstone) !== 0,
    getU64(view, at + 28),
    getU64(view, at + 36),
    view.getUint32(at + 44, true),
    view.getUint32(at + 48, true),
    getU64(view, at + 52),
    bytes[at + 66]!,
    view.getUint32(at + 60, true) + view.getUint16(at + 64, true) * twoPow32,
    bytes.subarray(keyAt, valueAt),
    bytes.subarray(valueAt, valueAt + view.getUint32(at + 24, true)),
  );
}
