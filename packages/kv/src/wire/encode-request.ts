// Requests → bytes, as any etcd client encodes them. For our own client commands, the simulator
// and tests; the server only ever decodes.
import { assertNever } from "@quorate/base";
import { ProtoWriter } from "./proto-writer.ts";
import { CompareOperand, OpType } from "./request.ts";
import type {
  Compare,
  CompactionRequest,
  DeleteRangeRequest,
  PutRequest,
  RangeRequest,
  RequestOp,
  TxnRequest,
} from "./request.ts";

/** One for all: nothing is encoded while something else is. */
const shared = new ProtoWriter();

function anew(): ProtoWriter {
  shared.reset();
  return shared;
}

export function encodeRangeRequest(request: RangeRequest): Uint8Array {
  const writer = anew();
  writeRange(writer, request);
  return writer.take();
}

export function encodePutRequest(request: PutRequest): Uint8Array {
  const writer = anew();
  writePut(writer, request);
  return writer.take();
}

export function encodeDeleteRangeRequest(request: DeleteRangeRequest): Uint8Array {
  const writer = anew();
  writeDeleteRange(writer, request);
  return writer.take();
}

export function encodeTxnRequest(request: TxnRequest): Uint8Array {
  const writer = anew();
  writeTxn(writer, request);
  return writer.take();
}

export function encodeCompactionRequest(request: CompactionRequest): Uint8Array {
  const writer = anew();
  writer.int64(0x08, request.revision);
  writer.bool(0x10, request.physical);
  return writer.take();
}

function writeRange(writer: ProtoWriter, request: RangeRequest): void {
  writer.bytes(0x0a, request.key);
  writer.bytes(0x12, request.rangeEnd);
  writer.int64(0x18, request.limit);
  writer.int64(0x20, request.revision);
  writer.int64(0x28, request.sortOrder);
  writer.int64(0x30, request.sortTarget);
  writer.bool(0x38, request.serializable);
  writer.bool(0x40, request.keysOnly);
  writer.bool(0x48, request.countOnly);
  writer.int64(0x50, request.minModRevision);
  writer.int64(0x58, request.maxModRevision);
  writer.int64(0x60, request.minCreateRevision);
  writer.int64(0x68, request.maxCreateRevision);
}

function writePut(writer: ProtoWriter, request: PutRequest): void {
  writer.bytes(0x0a, request.key);
  writer.bytes(0x12, request.value);
  writer.int64Halves(0x18, request.leaseHigh, request.leaseLow);
  writer.bool(0x20, request.prevKv);
  writer.bool(0x28, request.ignoreValue);
  writer.bool(0x30, request.ignoreLease);
}

function writeDeleteRange(writer: ProtoWriter, request: DeleteRangeRequest): void {
  writer.bytes(0x0a, request.key);
  writer.bytes(0x12, request.rangeEnd);
  writer.bool(0x18, request.prevKv);
}

function writeTxn(writer: ProtoWriter, request: TxnRequest): void {
  for (const compare of request.compare) {
    const start = writer.begin(0x0a);
    writeCompare(writer, compare);
    writer.end(start);
  }
  for (const op of request.success) writeOp(writer, 0x12, op);
  for (const op of request.failure) writeOp(writer, 0x1a, op);
}

function writeOp(writer: ProtoWriter, tag: number, op: RequestOp): void {
  const start = writer.begin(tag);
  if (op !== null) {
    const startOfOp = writer.begin(op.type * 8 + 2);
    switch (op.type) {
      case OpType.Range:
        writeRange(writer, op);
        break;
      case OpType.Put:
        writePut(writer, op);
        break;
      case OpType.DeleteRange:
        writeDeleteRange(writer, op);
        break;
      case OpType.Txn:
        writeTxn(writer, op);
        break;
      default:
        assertNever(op, "operation");
    }
    writer.end(startOfOp);
  }
  writer.end(start);
}

function writeCompare(writer: ProtoWriter, compare: Compare): void {
  writer.int64(0x08, compare.result);
  writer.int64(0x10, compare.target);
  writer.bytes(0x1a, compare.key);
  switch (compare.operand) {
    case CompareOperand.None:
      break;
    case CompareOperand.Version:
    case CompareOperand.Create:
    case CompareOperand.Mod:
      writer.presentInt64(compare.operand * 8, compare.number);
      break;
    case CompareOperand.Value:
      writer.presentBytes(0x3a, compare.value);
      break;
    case CompareOperand.Lease:
      if ((compare.leaseHigh | compare.leaseLow) === 0) writer.presentInt64(0x40, 0);
      else writer.int64Halves(0x40, compare.leaseHigh, compare.leaseLow);
      break;
    default:
      assertNever(compare.operand, "operand");
  }
  writer.bytes(0x202, compare.rangeEnd);
}
