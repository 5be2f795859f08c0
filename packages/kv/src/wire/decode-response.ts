// Response bytes → responses, for whoever asks a cluster: our client commands, the simulator,
// tests. Null: the bytes are not a message of that kind.
import { emptyBytes } from "@quorate/base";
import { ProtoReader } from "./proto-reader.ts";
import { OpType } from "./request.ts";
import type {
  CompactionResponse,
  DeleteRangeResponse,
  KeyValue,
  PutResponse,
  RangeResponse,
  ResponseHeader,
  ResponseOp,
  TxnResponse,
} from "./response.ts";

/** As txnDepthMax of requests: an honest server nests no deeper. */
const responseDepthMax = 256;

export const noHeader: ResponseHeader = { clusterId: 0n, memberId: 0n, revision: 0, raftTerm: 0 };

export function decodeRangeResponse(bytes: Uint8Array): RangeResponse | null {
  const reader = new ProtoReader(bytes);
  const response = readRange(reader);
  return reader.ok ? response : null;
}

export function decodePutResponse(bytes: Uint8Array): PutResponse | null {
  const reader = new ProtoReader(bytes);
  const response = readPut(reader);
  return reader.ok ? response : null;
}

export function decodeDeleteRangeResponse(bytes: Uint8Array): DeleteRangeResponse | null {
  const reader = new ProtoReader(bytes);
  const response = readDeleteRange(reader);
  return reader.ok ? response : null;
}

export function decodeTxnResponse(bytes: Uint8Array): TxnResponse | null {
  const reader = new ProtoReader(bytes);
  const response = readTxn(reader, 1);
  return response !== null && reader.ok ? response : null;
}

export function decodeCompactionResponse(bytes: Uint8Array): CompactionResponse | null {
  const reader = new ProtoReader(bytes);
  let header = noHeader;
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag === 0x0a) header = readHeader(reader);
    else reader.unknown(tag, 1);
  }
  return reader.ok ? { header } : null;
}

export function readHeader(reader: ProtoReader): ResponseHeader {
  const outer = reader.enter();
  const header = { clusterId: 0n, memberId: 0n, revision: 0, raftTerm: 0 };
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag === 0x08) header.clusterId = readBigint(reader);
    else if (tag === 0x10) header.memberId = readBigint(reader);
    else if (tag === 0x18) header.revision = reader.int64();
    else if (tag === 0x20) header.raftTerm = reader.uint64();
    else reader.unknown(tag, 4);
  }
  reader.leave(outer);
  return header;
}

function readBigint(reader: ProtoReader): bigint {
  const low = reader.int64Low();
  return (BigInt(reader.high) << 32n) | BigInt(low);
}

export function readKeyValue(reader: ProtoReader): KeyValue {
  const outer = reader.enter();
  const kv = {
    key: emptyBytes,
    createRevision: 0,
    modRevision: 0,
    version: 0,
    value: emptyBytes,
    leaseHigh: 0,
    leaseLow: 0,
  };
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag === 0x0a) kv.key = reader.bytes();
    else if (tag === 0x10) kv.createRevision = reader.int64();
    else if (tag === 0x18) kv.modRevision = reader.int64();
    else if (tag === 0x20) kv.version = reader.int64();
    else if (tag === 0x2a) kv.value = reader.bytes();
    else if (tag === 0x30) {
      kv.leaseLow = reader.int64Low();
      kv.leaseHigh = reader.high;
    } else reader.unknown(tag, 6);
  }
  reader.leave(outer);
  return kv;
}

function readRange(reader: ProtoReader): RangeResponse {
  let header = noHeader;
  const kvs: KeyValue[] = [];
  let more = false;
  let count = 0;
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag === 0x0a) header = readHeader(reader);
    else if (tag === 0x12) kvs.push(readKeyValue(reader));
    else if (tag === 0x18) more = reader.bool();
    else if (tag === 0x20) count = reader.int64();
    else reader.unknown(tag, 4);
  }
  return { type: OpType.Range, header, kvs, more, count };
}

function readPut(reader: ProtoReader): PutResponse {
  let header = noHeader;
  let prevKv: KeyValue | null = null;
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag === 0x0a) header = readHeader(reader);
    else if (tag === 0x12) prevKv = readKeyValue(reader);
    else reader.unknown(tag, 2);
  }
  return { type: OpType.Put, header, prevKv };
}

function readDeleteRange(reader: ProtoReader): DeleteRangeResponse {
  let header = noHeader;
  let deleted = 0;
  const prevKvs: KeyValue[] = [];
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag === 0x0a) header = readHeader(reader);
    else if (tag === 0x10) deleted = reader.int64();
    else if (tag === 0x1a) prevKvs.push(readKeyValue(reader));
    else reader.unknown(tag, 3);
  }
  return { type: OpType.DeleteRange, header, deleted, prevKvs };
}

function readTxn(reader: ProtoReader, depth: number): TxnResponse | null {
  if (depth > responseDepthMax) return null;
  let header = noHeader;
  let succeeded = false;
  const responses: ResponseOp[] = [];
  let tooDeep = false;
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag === 0x0a) header = readHeader(reader);
    else if (tag === 0x10) succeeded = reader.bool();
    else if (tag === 0x1a) {
      const outer = reader.enter();
      let op: ResponseOp = null;
      for (let opTag = reader.tag(); opTag !== 0; opTag = reader.tag()) {
        if ((opTag & 7) !== 2 || opTag > 0x22) {
          reader.unknown(opTag, 4);
          continue;
        }
        const outerOfOp = reader.enter();
        if (opTag === 0x0a) op = readRange(reader);
        else if (opTag === 0x12) op = readPut(reader);
        else if (opTag === 0x1a) op = readDeleteRange(reader);
        else {
          op = readTxn(reader, depth + 1);
          tooDeep ||= op === null;
        }
        reader.leave(outerOfOp);
      }
      reader.leave(outer);
      responses.push(op);
    } else reader.unknown(tag, 3);
  }
  return tooDeep ? null : { type: OpType.Txn, header, succeeded, responses };
}
