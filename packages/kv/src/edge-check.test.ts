// The checks at the edge, one row a rule: etcd's answer (3.4.23, tried against the real one by
// kv.etcd.test.ts in random requests; here by name).
import { equal } from "node:assert/strict";
import { test } from "node:test";
import { latin1Encode } from "@quorate/base";
import {
  checkOperation,
  checkRangeRequest,
  txnNestingMax,
  txnOpsTotalFactor,
} from "./edge-check.ts";
import { KvError } from "./kv-error.ts";
import { OperationKind } from "./operation.ts";
import { txnDepthMax } from "./wire/decode-request.ts";
import {
  encodeDeleteRangeRequest,
  encodePutRequest,
  encodeRangeRequest,
  encodeTxnRequest,
} from "./wire/encode-request.ts";
import {
  Compare,
  DeleteRangeRequest,
  PutRequest,
  RangeRequest,
  TxnRequest,
} from "./wire/request.ts";
import type { RequestOp } from "./wire/request.ts";

const b = latin1Encode;
const put = (key: string): PutRequest => new PutRequest({ key: b(key), value: b("v") });
const del = (key: string, end = ""): DeleteRangeRequest =>
  new DeleteRangeRequest({ key: b(key), rangeEnd: b(end) });
const get = (key: string): RangeRequest => new RangeRequest({ key: b(key) });
const txn = (success: RequestOp[], failure: RequestOp[] = []): TxnRequest =>
  new TxnRequest({ success, failure });

function check(op: NonNullable<RequestOp>, txnOpsMax: number = 128): KvError {
  if (op instanceof RangeRequest) return checkRangeRequest(encodeRangeRequest(op));
  if (op instanceof PutRequest) {
    return checkOperation(OperationKind.Put, encodePutRequest(op), txnOpsMax);
  }
  if (op instanceof DeleteRangeRequest) {
    return checkOperation(OperationKind.DeleteRange, encodeDeleteRangeRequest(op), txnOpsMax);
  }
  return checkOperation(OperationKind.Txn, encodeTxnRequest(op), txnOpsMax);
}

const { None, KeyNotProvided, KeyNotFound, InvalidSortOption, DuplicateKey } = KvError;

const rows: readonly (readonly [string, NonNullable<RequestOp>, KvError])[] = [
  ["P1 a put needs a key", put(""), KeyNotProvided],
  ["a delete needs a key", del(""), KeyNotProvided],
  ["a range needs a key", get(""), KeyNotProvided],
  ["an empty value is a value", new PutRequest({ key: b("a") }), None],
  [
    "P1 ignore_value with a value",
    new PutRequest({ key: b("a"), value: b("x"), ignoreValue: true }),
    KvError.ValueProvided,
  ],
  [
    "P1 ignore_lease with a lease, whichever half it is in",
    new PutRequest({ key: b("a"), leaseHigh: 1, ignoreLease: true }),
    KvError.LeaseProvided,
  ],
  [
    "P1 an unknown lease is the state's business",
    new PutRequest({ key: b("a"), leaseLow: 1 }),
    None,
  ],
  ["R2 sort order 3", new RangeRequest({ key: b("a"), sortOrder: 3 }), InvalidSortOption],
  ["R2 sort order -1", new RangeRequest({ key: b("a"), sortOrder: -1 }), InvalidSortOption],
  ["R2 sort target 5", new RangeRequest({ key: b("a"), sortTarget: 5 }), InvalidSortOption],
  ["R2 the key comes first", new RangeRequest({ sortTarget: 5 }), KeyNotProvided],
  ["T4 an operation without content", txn([null]), KeyNotFound],
  ["an inner put is checked", txn([put("")]), KeyNotProvided],
  ["in the failure branch too", txn([], [get("")]), KeyNotProvided],
  ["and inside inner transactions", txn([txn([], [del("")])]), KeyNotProvided],
  ["a compare needs a key", new TxnRequest({ compare: [new Compare()] }), KeyNotProvided],
  ["an empty transaction", txn([]), None],
  ["T4 a key put twice", txn([put("a"), put("a")]), DuplicateKey],
  ["T4 in both branches is fine", txn([put("a")], [put("a")]), None],
  ["T4 put and deleted", txn([put("a"), del("a")]), DuplicateKey],
  ["T4 the order does not matter", txn([del("a"), put("a")]), DuplicateKey],
  ["T4 put inside a deleted range", txn([del("a", "c"), put("b")]), DuplicateKey],
  ["T4 the end is exclusive", txn([del("a", "c"), put("c")]), None],
  ["T4 deletes may overlap", txn([del("a", "c"), del("b", "d")]), None],
  ["T4 a range that ends before it begins covers nothing", txn([del("c", "a"), put("b")]), None],
  ["T4 a delete without end overlaps nothing", txn([del("a", "\0"), put("b")]), None],
  ["T4 reading what is written is fine", txn([put("a"), get("a")]), None],
  ["T4 put here and in an inner one", txn([put("a"), txn([put("a")])]), DuplicateKey],
  ["T4 in two inner ones", txn([txn([put("a")]), txn([], [put("a")])]), DuplicateKey],
  ["T4 in both branches of one inner one", txn([txn([put("a")], [put("a")])]), None],
  ["T4 then also here", txn([txn([put("a")], [put("a")]), put("a")]), DuplicateKey],
  ["T4 put in an inner one, deleted here", txn([txn([put("b")]), del("a", "c")]), DuplicateKey],
  ["T4 deleted in an inner one, put here", txn([put("b"), txn([del("a", "c")])]), DuplicateKey],
  [
    "T4 deleted in an inner one, put in the next",
    txn([txn([del("a", "c")]), txn([put("b")])]),
    DuplicateKey,
  ],
  ["T4 put in an inner one, deleted in the next", txn([txn([put("b")]), txn([del("b")])]), None],
  ["T4 put and deleted in different branches", txn([txn([put("b")], [del("b")])]), None],
  ["T4 deep inside", txn([txn([txn([put("a")])]), put("a")]), DuplicateKey],
  ["T4 the failure branch is checked", txn([], [put("a"), put("a")]), DuplicateKey],
];

for (const [name, op, error] of rows) test(name, () => equal(check(op), error));

const many = (count: number): RequestOp[] => Array.from({ length: count }, (_, i) => get(`k${i}`));
const nested = (depth: number): TxnRequest => txn(depth === 0 ? [] : [nested(depth - 1)]);

test("T3 the longest list counts against the budget, and inner transactions get the rest", () => {
  const { TooManyOps } = KvError;
  equal(check(txn(many(4), many(4)), 4), None);
  equal(check(txn(many(5)), 4), TooManyOps);
  equal(check(txn([], many(5)), 4), TooManyOps);
  const compare = Array.from({ length: 5 }, () => new Compare({ key: b("a") }));
  equal(check(new TxnRequest({ compare }), 4), TooManyOps);
  equal(check(txn([txn(many(3)), txn(many(2))]), 4), TooManyOps);
  equal(check(txn([txn(many(2)), txn(many(2))]), 4), None);
  equal(check(txn([txn([txn(many(2))])]), 4), None);
  equal(check(txn([txn([txn(many(3))])]), 4), TooManyOps);
  equal(check(nested(4), 4), None, "an empty one fits when nothing is left");
  equal(check(nested(5), 4), TooManyOps);
});

test("transactions nest eight deep, whatever the budget, and whatever the reader would follow", () => {
  equal(check(nested(txnNestingMax - 1)), None);
  equal(check(nested(txnNestingMax)), KvError.TxnTooDeep);
  equal(check(nested(txnDepthMax + 100), 10_000), KvError.TxnTooDeep);
});

test("what a transaction comes to is bounded too, where each way into it is within the budget", () => {
  // 2 + 4 + 8 + … operations, of which the budget sees two on each level.
  const level = (depth: number): TxnRequest =>
    txn(depth === 1 ? many(2) : [level(depth - 1), level(depth - 1)]);
  equal(txnOpsTotalFactor, 8);
  equal(check(level(5), 10), None, "62 of 80");
  equal(check(level(6), 12), KvError.TooManyOps, "126 of 96");
  equal(check(level(6), 16), None, "126 of 128");
});

test("a list of a million empty operations is refused without being kept", () => {
  const bytes = new Uint8Array(1_500_000).fill(0x12);
  for (let i = 1; i < bytes.length; i += 2) bytes[i] = 0;
  equal(checkOperation(OperationKind.Txn, bytes, 128), KvError.TooManyOps);
});

test("overlaps of many puts and deletes are found in time that grows with their number", () => {
  // Sixteen levels of the budget each: 8 × 8 × 8 lists, more than 30,000 keys.
  const leaf = (id: string): TxnRequest =>
    txn(
      many(40).map((_, i) => put(`${id}/${i}`)),
      [],
    );
  const level = (id: string, depth: number): TxnRequest =>
    depth === 0
      ? leaf(id)
      : txn([
          ...Array.from({ length: 8 }, (_, i) => level(`${id}${i}`, depth - 1)),
          ...Array.from({ length: 8 }, (_, i) => del(`d${id}${i}`, `d${id}${i}x`)),
        ]);
  const opsMax = 10_000;
  equal(check(level("", 3), opsMax), None);
  equal(check(txn([level("", 3), put("777/39")]), opsMax), DuplicateKey);
  equal(check(txn([level("", 3), put("d777a")]), opsMax), DuplicateKey);
});

test("what is no message is malformed, of every kind", () => {
  for (const kind of Object.values(OperationKind)) {
    equal(checkOperation(kind, Uint8Array.of(0x0a, 5), 128), KvError.Malformed);
  }
  equal(checkRangeRequest(Uint8Array.of(0x0a, 5)), KvError.Malformed);
});
