// etcd's KV responses as values: what clients, the simulator and tests see of an answer.
import type { OpType } from "./request.ts";

export interface ResponseHeader {
  readonly clusterId: bigint;
  readonly memberId: bigint;
  readonly revision: number;
  readonly raftTerm: number;
}

export interface KeyValue {
  readonly key: Uint8Array;
  readonly createRevision: number;
  readonly modRevision: number;
  readonly version: number;
  readonly value: Uint8Array;
  /** Lease id, two unsigned halves. */
  readonly leaseHigh: number;
  readonly leaseLow: number;
}

export interface RangeResponse {
  readonly type: typeof OpType.Range;
  readonly header: ResponseHeader;
  readonly kvs: readonly KeyValue[];
  readonly more: boolean;
  readonly count: number;
}

export interface PutResponse {
  readonly type: typeof OpType.Put;
  readonly header: ResponseHeader;
  readonly prevKv: KeyValue | null;
}

export interface DeleteRangeResponse {
  readonly type: typeof OpType.DeleteRange;
  readonly header: ResponseHeader;
  readonly deleted: number;
  readonly prevKvs: readonly KeyValue[];
}

export type ResponseOp = RangeResponse | PutResponse | DeleteRangeResponse | TxnResponse | null;

export interface TxnResponse {
  readonly type: typeof OpType.Txn;
  readonly header: ResponseHeader;
  readonly succeeded: boolean;
  readonly responses: readonly ResponseOp[];
}

export interface CompactionResponse {
  readonly header: ResponseHeader;
}
