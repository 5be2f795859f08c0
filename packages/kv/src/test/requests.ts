// Random requests over few keys, few values and small revisions, so that histories collide in all
// the ways the rules speak of. For the property tests and the comparison with etcd.
import * as fc from "fast-check";
import { latin1Encode } from "@quorate/base";
import { leaseIdOf } from "../lease/lease-id.ts";
import type { LeaseId } from "../lease/lease-id.ts";
import { encodeLeaseGrantRequest, encodeLeaseIdRequest } from "../lease/lease-requests.ts";
import { OperationKind } from "../operation.ts";
import type { ClientOperationKind } from "../operation.ts";
import {
  encodeCompactionRequest,
  encodeDeleteRangeRequest,
  encodePutRequest,
  encodeRangeRequest,
  encodeTxnRequest,
} from "../wire/encode-request.ts";
import {
  CompactionRequest,
  Compare,
  DeleteRangeRequest,
  PutRequest,
  RangeRequest,
  TxnRequest,
} from "../wire/request.ts";
import type { CompareOperand, RequestOp } from "../wire/request.ts";

/** A range, or what an entry of the log carries. */
export const rangeKind = 0;
export type RequestKind =
  | typeof rangeKind
  | typeof OperationKind.LeaseGrant
  | typeof OperationKind.LeaseRevoke
  | ClientOperationKind;

export class LeaseGrant {
  readonly id: LeaseId;
  readonly ttlSeconds: number;

  constructor(id: LeaseId, ttlSeconds: number) {
    this.id = id;
    this.ttlSeconds = ttlSeconds;
  }
}

export class LeaseRevoke {
  readonly id: LeaseId;

  constructor(id: LeaseId) {
    this.id = id;
  }
}

export type Content =
  | RangeRequest
  | PutRequest
  | DeleteRangeRequest
  | TxnRequest
  | CompactionRequest
  | LeaseGrant
  | LeaseRevoke;

export class Request {
  readonly kind: RequestKind;
  readonly content: Content;
  /** As a client sends it. */
  readonly bytes: Uint8Array;

  constructor(kind: RequestKind, content: Content) {
    this.kind = kind;
    this.content = content;
    this.bytes = encode(content);
  }

  toString(): string {
    return JSON.stringify(this.content, (_, value: unknown) =>
      value instanceof Uint8Array ? String.fromCharCode(...value) : value,
    );
  }
}

export type KvRequest = Request & { readonly kind: typeof rangeKind | ClientOperationKind };

function encode(content: Request["content"]): Uint8Array {
  if (content instanceof RangeRequest) return encodeRangeRequest(content);
  if (content instanceof PutRequest) return encodePutRequest(content);
  if (content instanceof DeleteRangeRequest) return encodeDeleteRangeRequest(content);
  if (content instanceof TxnRequest) return encodeTxnRequest(content);
  if (content instanceof LeaseGrant) return encodeLeaseGrantRequest(content);
  if (content instanceof LeaseRevoke) return encodeLeaseIdRequest(content.id);
  return encodeCompactionRequest(content);
}

const keyTexts = ["a", "b", "aa", "ab", "a\0", "b\xff", "\0", "\xff", "\xff\xff", "c"] as const;
export const allKeys: readonly string[] = keyTexts;

const keys = fc.oneof(
  { weight: 60, arbitrary: fc.constantFrom(...keyTexts) },
  { weight: 1, arbitrary: fc.constant("") },
);
const key = keys.map(latin1Encode);
const rangeEnd = fc
  .oneof(
    { weight: 4, arbitrary: fc.constant("") },
    { weight: 2, arbitrary: fc.constant("\0") },
    { weight: 4, arbitrary: fc.constantFrom(...keyTexts) },
  )
  .map(latin1Encode);
const value = fc.constantFrom("", "x", "y", "zz", "x\0", "\xff").map(latin1Encode);
const rarely = fc.oneof(
  { weight: 6, arbitrary: fc.constant(false) },
  { weight: 1, arbitrary: fc.constant(true) },
);
const lease = fc.oneof(
  { weight: 20, arbitrary: fc.constant(0) },
  { weight: 10, arbitrary: fc.constantFrom(7, 8) },
);
/** Of 7 there are two, of which one is negative for etcd. */
const leaseHigh = fc.oneof(
  { weight: 6, arbitrary: fc.constant(0) },
  { weight: 1, arbitrary: fc.constant(0xffffffff) },
);
const leaseId = fc
  .record({ high: leaseHigh, low: fc.constantFrom(7, 8) })
  .map(({ high, low }) => leaseIdOf(low === 7 ? high : 0, low));
const revision = fc.oneof(
  { weight: 4, arbitrary: fc.constant(0) },
  { weight: 6, arbitrary: fc.integer({ min: -1, max: 40 }) },
);
/** Mostly no bound. */
const bound = fc.oneof(
  { weight: 6, arbitrary: fc.constant(0) },
  { weight: 1, arbitrary: fc.integer({ min: -1, max: 30 }) },
);

export const rangeRequest: fc.Arbitrary<RangeRequest> = fc
  .record({
    key,
    rangeEnd,
    limit: fc.integer({ min: -1, max: 4 }),
    revision,
    sortOrder: fc.integer({ min: 0, max: 2 }),
    sortTarget: fc.integer({ min: 0, max: 4 }),
    serializable: fc.boolean(),
    keysOnly: rarely,
    countOnly: rarely,
    minModRevision: bound,
    maxModRevision: bound,
    minCreateRevision: bound,
    maxCreateRevision: bound,
  })
  .map((fields) => new RangeRequest(fields));

export const putRequest: fc.Arbitrary<PutRequest> = fc
  .record({
    key,
    value,
    leaseHigh,
    leaseLow: lease,
    prevKv: fc.boolean(),
    ignoreValue: rarely,
    ignoreLease: rarely,
  })
  .map((fields) => {
    // Mostly sensible: a value beside ignore_value is refused.
    const put = new PutRequest({
      ...fields,
      leaseHigh: fields.leaseLow === 7 ? fields.leaseHigh : 0,
    });
    if (put.ignoreValue && put.value.length < 2) put.value = new Uint8Array(0);
    return put;
  });

/** Mostly one key: a history of wiped stores says little. */
const deletedEnd = fc.oneof(
  { weight: 5, arbitrary: fc.constant(new Uint8Array(0)) },
  { weight: 1, arbitrary: rangeEnd },
);

export const deleteRequest: fc.Arbitrary<DeleteRangeRequest> = fc
  .record({ key, rangeEnd: deletedEnd, prevKv: fc.boolean() })
  .map((fields) => new DeleteRangeRequest(fields));

const compare: fc.Arbitrary<Compare> = fc
  .record({
    result: fc.integer({ min: 0, max: 4 }),
    target: fc.integer({ min: 0, max: 4 }),
    key,
    rangeEnd: fc.oneof(
      { weight: 3, arbitrary: fc.constant(new Uint8Array(0)) },
      { weight: 1, arbitrary: rangeEnd },
    ),
    operand: fc.constantFrom<CompareOperand>(0, 4, 5, 6, 7, 8),
    number: fc.integer({ min: -1, max: 12 }),
    value,
    leaseLow: fc.constantFrom(0, 7),
    leaseHigh: fc.constantFrom(0, 0xffffffff),
    matching: fc.integer({ min: 0, max: 3 }),
  })
  .map(({ matching, ...fields }) => {
    // Mostly the operand of the target; an operand leaves the others' fields empty.
    const wanted = matching > 0 ? ((fields.target + 4) as CompareOperand) : fields.operand;
    const isNumber = wanted >= 4 && wanted <= 6;
    return new Compare({
      ...fields,
      operand: wanted,
      number: isNumber ? fields.number : 0,
      value: wanted === 7 ? fields.value : new Uint8Array(0),
      leaseLow: wanted === 8 ? fields.leaseLow : 0,
      leaseHigh: wanted === 8 ? fields.leaseHigh : 0,
    });
  });

export const txnRequest: fc.Arbitrary<TxnRequest> = fc.letrec<{ txn: TxnRequest; op: RequestOp }>(
  (tie) => ({
    op: fc.oneof(
      { depthSize: "small", withCrossShrink: true },
      { weight: 10, arbitrary: putRequest },
      { weight: 10, arbitrary: rangeRequest },
      { weight: 6, arbitrary: deleteRequest },
      { weight: 8, arbitrary: tie("txn") as fc.Arbitrary<RequestOp> },
      { weight: 1, arbitrary: fc.constant(null) },
    ),
    txn: fc
      .record({
        compare: fc.array(compare, { maxLength: 2, depthIdentifier: "txn" }),
        success: fc.array(tie("op"), { maxLength: 3, depthIdentifier: "txn" }),
        failure: fc.array(tie("op"), { maxLength: 3, depthIdentifier: "txn" }),
      })
      .map((fields) => new TxnRequest(fields)),
  }),
).txn;

const compactionRequest = fc
  .record({ revision: fc.integer({ min: -1, max: 30 }) })
  .map((fields) => new CompactionRequest({ ...fields, physical: true }));

/** Of KV. */
export const request: fc.Arbitrary<KvRequest> = fc.oneof(
  { weight: 14, arbitrary: rangeRequest.map((content) => new Request(rangeKind, content)) },
  { weight: 14, arbitrary: putRequest.map((content) => new Request(OperationKind.Put, content)) },
  {
    weight: 4,
    arbitrary: deleteRequest.map((content) => new Request(OperationKind.DeleteRange, content)),
  },
  { weight: 14, arbitrary: txnRequest.map((content) => new Request(OperationKind.Txn, content)) },
  {
    weight: 1,
    arbitrary: compactionRequest.map((content) => new Request(OperationKind.Compact, content)),
  },
) as fc.Arbitrary<KvRequest>;

/** Long enough to outlive a test: what expires is not the state machine's. */
const leaseGrant = fc
  .record({ id: leaseId, ttl: fc.constantFrom(300, 1000, 9_000_000_000, 9_000_000_001, 2 ** 62) })
  .map(({ id, ttl }) => new LeaseGrant(id, ttl));

/** Of KV and of leases. */
export const anyRequest: fc.Arbitrary<Request> = fc.oneof(
  { weight: 47, arbitrary: request },
  {
    weight: 5,
    arbitrary: leaseGrant.map((content) => new Request(OperationKind.LeaseGrant, content)),
  },
  {
    weight: 2,
    arbitrary: leaseId.map((id) => new Request(OperationKind.LeaseRevoke, new LeaseRevoke(id))),
  },
);
