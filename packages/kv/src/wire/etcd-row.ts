// A row as etcd 3.4 keeps it in the bucket "key" of its backend: what HashKV hashes, what a snapshot
// for etcd holds, and what comes in from one.
//
//   key    big-endian main, "_", big-endian sub, "t" for a tombstone:
//          revision 3, sub 1, deleted: 00 00 00 00 00 00 00 03 5f 00 00 00 00 00 00 00 01 74
//   value  mvccpb.KeyValue; of a tombstone the key alone
import { Row } from "../rows.ts";
import { writeKeyValueFields } from "./encode-response.ts";
import { ProtoReader } from "./proto-reader.ts";
import { ProtoWriter } from "./proto-writer.ts";

export const revisionKeyBytesMax = 18;
const liveKeyBytes = 17;
const underscore = 0x5f;
const letterT = 0x74;
/** Of mvccpb.KeyValue. */
const lastField = 6;
const twoPow32 = 4294967296;

/** Writes the row's key at the start of `into`; its length. */
export function putRevisionKey(into: Uint8Array, row: Row): number {
  putU64(into, 0, row.main);
  into[8] = underscore;
  putU64(into, 9, row.sub);
  if (!row.tombstone) return liveKeyBytes;
  into[liveKeyBytes] = letterT;
  return revisionKeyBytesMax;
}

export function encodeRevisionKey(row: Row): Uint8Array {
  const key = new Uint8Array(row.tombstone ? revisionKeyBytesMax : liveKeyBytes);
  putRevisionKey(key, row);
  return key;
}

export interface RevisionKey {
  readonly main: number;
  readonly sub: number;
  readonly tombstone: boolean;
}

/** Null: no key of a row, or a revision from 2^53 on. */
export function decodeRevisionKey(key: Uint8Array): RevisionKey | null {
  const tombstone = key.length === revisionKeyBytesMax;
  if (!tombstone && key.length !== liveKeyBytes) return null;
  if (key[8] !== underscore || (tombstone && key[liveKeyBytes] !== letterT)) return null;
  const main = getU64(key, 0);
  const sub = getU64(key, 9);
  if (!Number.isSafeInteger(main) || sub >= twoPow32) return null;
  return { main, sub, tombstone };
}

/** Makes the values of rows; one buffer for all. */
export class EtcdRowEncoder {
  readonly #writer: ProtoWriter;

  constructor() {
    this.#writer = new ProtoWriter();
  }

  encode(row: Row): Uint8Array {
    this.#writer.reset();
    writeKeyValueFields(this.#writer, row, true);
    return this.#writer.take();
  }
}

/** Length of what `encode` makes. */
export function etcdRowBytes(row: Row): number {
  const keyBytes = bytesField(row.key.length);
  if (row.tombstone) return keyBytes;
  return (
    keyBytes +
    numberField(0, row.createRevision) +
    numberField(0, row.main) +
    numberField(0, row.version) +
    bytesField(row.value.length) +
    numberField(row.leaseHigh, row.leaseLow)
  );
}

/**
 * The row of a key and value of etcd's. `hlc` is given: etcd has none. Null: not one of its rows. Key and
 * value are views.
 */
export function decodeEtcdRow(
  { main, sub, tombstone }: RevisionKey,
  value: Uint8Array,
  hlc: number,
): Row | null {
  const fields = decodeKeyValue(value);
  if (fields === null || fields.key.length === 0) return null;
  const { createRevision, version, leaseHigh, leaseLow, key } = fields;
  if (tombstone) {
    return new Row(main, sub, true, 0, 0, 0, 0, hlc, 0, 0, key, fields.value.subarray(0, 0));
  }
  if (fields.modRevision !== main || createRevision < 1 || createRevision > main) return null;
  if (version < 1) return null;
  return new Row(
    main,
    sub,
    false,
    createRevision,
    version,
    leaseHigh,
    leaseLow,
    hlc,
    0,
    0,
    key,
    fields.value,
  );
}

interface KeyValueFields {
  key: Uint8Array;
  createRevision: number;
  modRevision: number;
  version: number;
  value: Uint8Array;
  leaseHigh: number;
  leaseLow: number;
}

function decodeKeyValue(bytes: Uint8Array): KeyValueFields | null {
  const reader = new ProtoReader(bytes);
  const none = bytes.subarray(0, 0);
  const fields: KeyValueFields = {
    key: none,
    createRevision: 0,
    modRevision: 0,
    version: 0,
    value: none,
    leaseHigh: 0,
    leaseLow: 0,
  };
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) readField(reader, tag, fields);
  const { createRevision, modRevision, version } = fields;
  const exact = [createRevision, modRevision, version].every(Number.isSafeInteger);
  return reader.ok && exact ? fields : null;
}

function readField(reader: ProtoReader, tag: number, fields: KeyValueFields): void {
  switch (tag) {
    case 0x0a:
      fields.key = reader.bytes();
      return;
    case 0x10:
      fields.createRevision = reader.int64();
      return;
    case 0x18:
      fields.modRevision = reader.int64();
      return;
    case 0x20:
      fields.version = reader.int64();
      return;
    case 0x2a:
      fields.value = reader.bytes();
      return;
    case 0x30:
      fields.leaseLow = reader.int64Low();
      fields.leaseHigh = reader.high;
      return;
    default:
      reader.unknown(tag, lastField);
  }
}

function bytesField(length: number): number {
  return length === 0 ? 0 : 1 + varintBytes(0, length) + length;
}

function numberField(high: number, value: number): number {
  const topHalf = high === 0 ? Math.floor(value / twoPow32) : high;
  const low = value % twoPow32;
  return (topHalf | low) === 0 ? 0 : 1 + varintBytes(topHalf, low);
}

function varintBytes(high: number, low: number): number {
  const bits = high === 0 ? 32 - Math.clz32(low) : 64 - Math.clz32(high);
  return Math.max(1, Math.ceil(bits / 7));
}

function putU64(bytes: Uint8Array, at: number, value: number): void {
  const high = Math.floor(value / twoPow32);
  for (let i = 0; i < 4; i++) {
    bytes[at + i] = high >>> (24 - 8 * i);
    bytes[at + 4 + i] = value >>> (24 - 8 * i);
  }
}

/** Above 2^53 rounded, and so no safe integer. */
function getU64(bytes: Uint8Array, at: number): number {
  let value = 0;
  for (let i = 0; i < 8; i++) value = value * 256 + bytes[at + i]!;
  return value;
}
