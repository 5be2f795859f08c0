// Our protobuf reader and writer against the dumbest possible one, in both directions, and against
// bytes that no honest client sends.
import { deepEqual, equal, notEqual, ok } from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { fromHex, latin1Encode, toHex } from "@quorate/base";
import { OperationKind } from "../operation.ts";
import { asRecord, decodeRecord, encodeRecord } from "../test/etcd-schema.ts";
import type { WireRecord } from "../test/etcd-schema.ts";
import { rangeKind, request } from "../test/requests.ts";
import {
  decodeCompactionRequest,
  decodeDeleteRangeRequest,
  decodePutRequest,
  decodeRangeRequest,
  decodeTxnRequest,
  txnDepthMax,
} from "./decode-request.ts";
import {
  decodeCompactionResponse,
  decodeDeleteRangeResponse,
  decodePutResponse,
  decodeRangeResponse,
  decodeTxnResponse,
} from "./decode-response.ts";
import { encodeCompactionRequest, encodePutRequest, encodeTxnRequest } from "./encode-request.ts";
import { ProtoReader } from "./proto-reader.ts";
import { ProtoWriter } from "./proto-writer.ts";
import { CompactionRequest, PutRequest, TxnRequest } from "./request.ts";

const requestNames = {
  [rangeKind]: "RangeRequest",
  [OperationKind.Put]: "PutRequest",
  [OperationKind.DeleteRange]: "DeleteRangeRequest",
  [OperationKind.Txn]: "TxnRequest",
  [OperationKind.Compact]: "CompactionRequest",
} as const;

const requestDecoders = {
  [rangeKind]: decodeRangeRequest,
  [OperationKind.Put]: decodePutRequest,
  [OperationKind.DeleteRange]: decodeDeleteRangeRequest,
  [OperationKind.Txn]: decodeTxnRequest,
  [OperationKind.Compact]: decodeCompactionRequest,
} satisfies Record<number, (bytes: Uint8Array) => unknown>;

const allDecoders: readonly ((bytes: Uint8Array) => unknown)[] = [
  ...Object.values(requestDecoders),
  decodeRangeResponse,
  decodePutResponse,
  decodeDeleteRangeResponse,
  decodeTxnResponse,
  decodeCompactionResponse,
];

function hex(text: string): Uint8Array {
  const bytes = fromHex(text.replaceAll(" ", ""));
  ok(bytes !== null);
  return bytes;
}

test("requests: our bytes are those of the dumb encoder, and we read them back", () => {
  fc.assert(
    fc.property(request, ({ kind, content, bytes }) => {
      const name = requestNames[kind];
      equal(toHex(bytes), toHex(encodeRecord(name, asRecord(content))));
      deepEqual(decodeRecord(name, bytes), asRecord(content));
      deepEqual(requestDecoders[kind](bytes), content);
    }),
    { numRuns: 1000 },
  );
});

test("numbers: every safe integer is written as the dumb encoder does, and read back", () => {
  const number = fc.oneof(fc.maxSafeInteger(), fc.integer({ min: -3, max: 300 }));
  fc.assert(
    fc.property(number, (revision) => {
      const ours = encodeCompactionRequest(new CompactionRequest({ revision }));
      const theirs = encodeRecord("CompactionRequest", { revision: BigInt(revision) });
      equal(toHex(ours), toHex(theirs));
      equal(decodeCompactionRequest(ours)!.revision, revision);
    }),
    { numRuns: 2000 },
  );
});

test("lease ids: all 64 bits stay exact", () => {
  fc.assert(
    fc.property(fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n), (lease) => {
      const unsigned = BigInt.asUintN(64, lease);
      const leaseHigh = Number(unsigned >> 32n);
      const put = new PutRequest({ leaseHigh, leaseLow: Number(unsigned & 0xffffffffn) });
      const bytes = encodePutRequest(put);
      equal(decodeRecord("PutRequest", bytes)["lease"], lease);
      deepEqual(decodePutRequest(bytes), put);
    }),
  );
});

test("numbers beyond 2^53 are rounded and keep their side", () => {
  for (const [text, expected] of [
    ["08 ffffffffffffffff7f", 2 ** 63],
    ["08 80808080808080808001", -(2 ** 63)],
    ["08 ffffffffffffffffff01", -1],
    ["08 8080808080808010", 2 ** 53],
    // Bits above the 64th are dropped, as gogo proto does.
    ["08 ffffffffffffffffff7f", -1],
  ] as const) {
    equal(decodeCompactionRequest(hex(text))?.revision, expected, text);
  }
});

const bytes = fc.uint8Array({ maxLength: 200 }).map(toHex);
const int64 = (min: bigint, max: bigint): fc.Arbitrary<bigint> =>
  fc.oneof(fc.bigInt(min, max), fc.bigInt(0n, 300n));
const safe = int64(-(2n ** 53n) + 1n, 2n ** 53n - 1n);

const kv: fc.Arbitrary<WireRecord> = fc.record({
  key: bytes,
  create_revision: safe,
  mod_revision: safe,
  version: safe,
  value: bytes,
  lease: int64(-(2n ** 63n), 2n ** 63n - 1n),
});
const header: fc.Arbitrary<WireRecord> = fc.record({
  cluster_id: int64(0n, 2n ** 64n - 1n),
  member_id: int64(0n, 2n ** 64n - 1n),
  revision: safe,
  raft_term: int64(0n, 2n ** 53n - 1n),
});
const kvs = fc.array(kv, { maxLength: 3 });
const rangeResponse = fc.record({ header, kvs, more: fc.boolean(), count: safe });
const putResponse = fc.record({ header, prev_kv: kv });
const deleteResponse = fc.record({ header, deleted: safe, prev_kvs: kvs });
const txnResponse = fc.record({
  header,
  succeeded: fc.boolean(),
  responses: fc.array(
    fc.oneof(
      fc.record({ response_range: rangeResponse }),
      fc.record({ response_put: putResponse }),
      fc.record({ response_delete_range: deleteResponse }),
      fc.record({
        response_txn: fc.record({ header, succeeded: fc.boolean(), responses: fc.constant([]) }),
      }),
    ) as fc.Arbitrary<WireRecord>,
    { maxLength: 4 },
  ),
});

/** fast-check's records have no prototype. */
function plain<T>(value: T): T {
  if (Array.isArray(value)) return value.map(plain) as T;
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, plain(part)])) as T;
}

for (const [name, arbitrary, decode] of [
  ["RangeResponse", rangeResponse, decodeRangeResponse],
  ["PutResponse", putResponse, decodePutResponse],
  ["DeleteRangeResponse", deleteResponse, decodeDeleteRangeResponse],
  ["TxnResponse", txnResponse, decodeTxnResponse],
  ["CompactionResponse", fc.record({ header }), decodeCompactionResponse],
] as const) {
  test(`${name}: what the dumb encoder writes is read field by field`, () => {
    fc.assert(
      fc.property(arbitrary as fc.Arbitrary<WireRecord>, (record) => {
        deepEqual(asRecord(decode(encodeRecord(name, record))), plain(record));
      }),
      { numRuns: 300 },
    );
  });
}

test("unknown fields of every wire type, groups too, are skipped; the last value wins", () => {
  const expected = new PutRequest({ key: latin1Encode("b"), value: latin1Encode("v") });
  for (const text of [
    "0a0161 0a0162 120176",
    "0a0162 120176 a0068001",
    "a1060102030405060708 0a0162 120176",
    "0a0162 a206020a0a 120176",
    "0a0162 a306 0a0161 a406 120176",
    "0a0162 a306 ab06 0801 ac06 a406 120176",
    "0a0162 a50601020304 120176",
    "0a0162 120176 1807 1800",
    "0a0162 120178 120176",
  ]) {
    deepEqual(decodePutRequest(hex(text)), expected, text);
  }
  const txn = decodeTxnRequest(hex("1207 0a030a0161 1200"));
  equal(txn?.success.length, 1);
  deepEqual(txn.success[0], new PutRequest(), "the last member of the oneof is the operation");
});

test("what is no message is refused, and never thrown at", () => {
  for (const text of [
    "0a",
    "0a02 61",
    "0a ffffffff0f 61",
    "0a ffffffffffffffffff01 61",
    "0a 8080808001",
    "08 01",
    "0d 01020304",
    "18 ffffffffffffffffffff01",
    "18 80",
    "00 00",
    "07",
    "a306",
    "a406",
    "a306 ac06 a206",
    "a1 06 01",
    "a5 06 01",
    "a7 06",
    "ffffffffffffffffff01 00",
  ]) {
    equal(decodePutRequest(hex(text)), null, text);
  }
  equal(decodeTxnRequest(hex("12 02 12 05")), null);
  equal(decodeTxnRequest(hex("0a 02 8204")), null);
  equal(decodeTxnRequest(hex("0a 02 8004")), null, "field 64 is no varint");
});

test("any bytes: decoding ends, and gives a message or null", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
      for (const decode of allDecoders) notEqual(decode(bytes), undefined);
    }),
    { numRuns: 3000 },
  );
});

test("a request with one byte changed or cut off decodes to something or null", () => {
  fc.assert(
    fc.property(request, fc.nat(), fc.nat(255), ({ kind, bytes }, at, byte) => {
      const changed = bytes.slice();
      if (changed.length > 0) changed[at % changed.length] = byte;
      notEqual(requestDecoders[kind](changed), undefined);
      notEqual(requestDecoders[kind](bytes.slice(0, at % (bytes.length + 1))), undefined);
    }),
    { numRuns: 2000 },
  );
});

test("transactions nest to txnDepthMax; deeper ones are marked, not followed", () => {
  const nested = (depth: number): TxnRequest =>
    new TxnRequest({ success: depth === 1 ? [] : [nested(depth - 1)] });
  const depthOf = (txn: TxnRequest): number =>
    txn.success.length === 0 ? 1 : 1 + depthOf(txn.success[0] as TxnRequest);
  for (const depth of [1, 2, txnDepthMax]) {
    const decoded = decodeTxnRequest(encodeTxnRequest(nested(depth)));
    equal(depthOf(decoded!), depth);
    equal(JSON.stringify(decoded).includes('"tooDeep":true'), false);
  }
  const decoded = decodeTxnRequest(encodeTxnRequest(nested(txnDepthMax + 50)));
  equal(depthOf(decoded!), txnDepthMax + 1);
  ok(JSON.stringify(decoded).includes('"tooDeep":true'));
});

test("lists longer than opsMax are cut one above it, and still checked to their end", () => {
  const bytes = encodeTxnRequest(new TxnRequest({ success: Array<null>(100).fill(null) }));
  equal(decodeTxnRequest(bytes, 0, 5)?.success.length, 6);
  equal(decodeTxnRequest(bytes)?.success.length, 100);
  equal(decodeTxnRequest(Uint8Array.of(...bytes, 0x12, 5), 0, 5), null);
});

test("nested messages of every length get their length in its shortest form", () => {
  for (const size of [0, 1, 120, 127, 128, 129, 16_383, 16_384, 20_000, 3_000_000]) {
    const writer = new ProtoWriter();
    const outer = writer.begin(0x0a);
    const inner = writer.begin(0x12);
    writer.bytes(0x0a, new Uint8Array(size).fill(7));
    writer.end(inner);
    writer.int64(0x18, -1);
    writer.end(outer);
    writer.uint(0x20, 5);
    const reader = new ProtoReader(writer.take());
    equal(reader.tag(), 0x0a);
    const end = reader.enter();
    equal(reader.tag(), 0x12);
    const innerEnd = reader.enter();
    if (size > 0) {
      equal(reader.tag(), 0x0a);
      equal(reader.bytes().length, size);
    }
    equal(reader.tag(), 0);
    reader.leave(innerEnd);
    equal(reader.tag(), 0x18);
    equal(reader.int64(), -1);
    reader.leave(end);
    equal(reader.tag(), 0x20);
    equal(reader.int64(), 5);
    ok(reader.ok);
  }
});
