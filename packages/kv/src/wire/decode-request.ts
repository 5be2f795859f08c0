// Request bytes → requests. Null: the bytes are not a message of that kind. Bounds: nothing is
// copied; the lists of a transaction are cut one above `opsMax`, which is enough to refuse it.
import { ProtoReader } from "./proto-reader.ts";
import {
  Compare,
  CompareOperand,
  CompactionRequest,
  DeleteRangeRequest,
  PutRequest,
  RangeRequest,
  TxnRequest,
} from "./request.ts";
import type { RequestOp } from "./request.ts";

/**
 * Transactions inside each other that are read. etcd's budget of operations ends at txnOpsMax + 1
 * (129) levels by itself; this one bounds the stack when that setting is large.
 */
export const txnDepthMax = 256;

export function decodeRangeRequest(bytes: Uint8Array, from: number = 0): RangeRequest | null {
  const reader = new ProtoReader(bytes, from);
  const request = readRange(reader);
  return reader.ok ? request : null;
}

export function decodePutRequest(bytes: Uint8Array, from: number = 0): PutRequest | null {
  const reader = new ProtoReader(bytes, from);
  const request = readPut(reader);
  return reader.ok ? request : null;
}

export function decodeDeleteRangeRequest(
  bytes: Uint8Array,
  from: number = 0,
): DeleteRangeRequest | null {
  const reader = new ProtoReader(bytes, from);
  const request = readDeleteRange(reader);
  return reader.ok ? request : null;
}

export function decodeTxnRequest(
  bytes: Uint8Array,
  from: number = 0,
  opsMax: number = Infinity,
): TxnRequest | null {
  const reader = new ProtoReader(bytes, from);
  const request = readTxn(reader, opsMax, 1);
  return reader.ok ? request : null;
}

export function decodeCompactionRequest(
  bytes: Uint8Array,
  from: number = 0,
): CompactionRequest | null {
  const reader = new ProtoReader(bytes, from);
  const request = new CompactionRequest();
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag === 0x08) request.revision = reader.int64();
    else if (tag === 0x10) request.physical = reader.bool();
    else reader.unknown(tag, 2);
  }
  return reader.ok ? request : null;
}

function readRange(reader: ProtoReader): RangeRequest {
  const request = new RangeRequest();
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    switch (tag) {
      case 0x0a:
        request.key = reader.bytes();
        break;
      case 0x12:
        request.rangeEnd = reader.bytes();
        break;
      case 0x18:
        request.limit = reader.int64();
        break;
      case 0x20:
        request.revision = reader.int64();
        break;
      case 0x28:
        request.sortOrder = reader.int32();
        break;
      case 0x30:
        request.sortTarget = reader.int32();
        break;
      case 0x38:
        request.serializable = reader.bool();
        break;
      case 0x40:
        request.keysOnly = reader.bool();
        break;
      case 0x48:
        request.countOnly = reader.bool();
        break;
      case 0x50:
        request.minModRevision = reader.int64();
        break;
      case 0x58:
        request.maxModRevision = reader.int64();
        break;
      case 0x60:
        request.minCreateRevision = reader.int64();
        break;
      case 0x68:
        request.maxCreateRevision = reader.int64();
        break;
      default:
        reader.unknown(tag, 13);
    }
  }
  return request;
}

function readPut(reader: ProtoReader): PutRequest {
  const request = new PutRequest();
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    switch (tag) {
      case 0x0a:
        request.key = reader.bytes();
        break;
      case 0x12:
        request.value = reader.bytes();
        break;
      case 0x18:
        request.leaseLow = reader.int64Low();
        request.leaseHigh = reader.high;
        break;
      case 0x20:
        request.prevKv = reader.bool();
        break;
      case 0x28:
        request.ignoreValue = reader.bool();
        break;
      case 0x30:
        request.ignoreLease = reader.bool();
        break;
      default:
        reader.unknown(tag, 6);
    }
  }
  return request;
}

function readDeleteRange(reader: ProtoReader): DeleteRangeRequest {
  const request = new DeleteRangeRequest();
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    switch (tag) {
      case 0x0a:
        request.key = reader.bytes();
        break;
      case 0x12:
        request.rangeEnd = reader.bytes();
        break;
      case 0x18:
        request.prevKv = reader.bool();
        break;
      default:
        reader.unknown(tag, 3);
    }
  }
  return request;
}

function readTxn(reader: ProtoReader, opsMax: number, depth: number): TxnRequest {
  const request = new TxnRequest();
  if (depth > txnDepthMax) {
    request.tooDeep = true;
    return request;
  }
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag === 0x0a && request.compare.length <= opsMax) {
      const outer = reader.enter();
      request.compare.push(readCompare(reader));
      reader.leave(outer);
    } else if (tag === 0x12 && request.success.length <= opsMax) {
      request.success.push(readOp(reader, opsMax, depth));
    } else if (tag === 0x1a && request.failure.length <= opsMax) {
      request.failure.push(readOp(reader, opsMax, depth));
    } else if (tag === 0x0a || tag === 0x12 || tag === 0x1a) {
      reader.skip(tag);
    } else {
      reader.unknown(tag, 3);
    }
  }
  return request;
}

function readOp(reader: ProtoReader, opsMax: number, depth: number): RequestOp {
  const outer = reader.enter();
  let op: RequestOp = null;
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag !== 0x0a && tag !== 0x12 && tag !== 0x1a && tag !== 0x22) {
      reader.unknown(tag, 4);
      continue;
    }
    const outerOfOp = reader.enter();
    if (tag === 0x0a) op = readRange(reader);
    else if (tag === 0x12) op = readPut(reader);
    else if (tag === 0x1a) op = readDeleteRange(reader);
    else op = readTxn(reader, opsMax, depth + 1);
    reader.leave(outerOfOp);
  }
  reader.leave(outer);
  return op;
}

function readCompare(reader: ProtoReader): Compare {
  const compare = new Compare();
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    switch (tag) {
      case 0x08:
        compare.result = reader.int32();
        break;
      case 0x10:
        compare.target = reader.int32();
        break;
      case 0x1a:
        compare.key = reader.bytes();
        break;
      case 0x20:
        compare.operand = CompareOperand.Version;
        compare.number = reader.int64();
        break;
      case 0x28:
        compare.operand = CompareOperand.Create;
        compare.number = reader.int64();
        break;
      case 0x30:
        compare.operand = CompareOperand.Mod;
        compare.number = reader.int64();
        break;
      case 0x3a:
        compare.operand = CompareOperand.Value;
        compare.value = reader.bytes();
        break;
      case 0x40:
        compare.operand = CompareOperand.Lease;
        compare.leaseLow = reader.int64Low();
        compare.leaseHigh = reader.high;
        break;
      case 0x202:
        compare.rangeEnd = reader.bytes();
        break;
      default:
        if (tag >>> 3 === 64) reader.unknown(tag, 64);
        else reader.unknown(tag, 8);
    }
  }
  return compare;
}
