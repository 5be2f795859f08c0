// etcd's KV requests as values (etcdserverpb 3.4): what the reader makes and the encoders take.
// Numbers of 64 bits are safe integers, or rounded beyond 2^53, where only their order matters;
// lease ids are two unsigned halves. Byte fields may be views of what was decoded.
import { emptyBytes } from "@quorate/base";

export const SortOrder = { None: 0, Ascend: 1, Descend: 2 } as const;
export type SortOrder = number;

export const SortTarget = { Key: 0, Version: 1, Create: 2, Mod: 3, Value: 4 } as const;
export type SortTarget = number;

export const CompareResult = { Equal: 0, Greater: 1, Less: 2, NotEqual: 3 } as const;
export type CompareResult = number;

export const CompareTarget = { Version: 0, Create: 1, Mod: 2, Value: 3, Lease: 4 } as const;
export type CompareTarget = number;

/** Tags of the operations inside a transaction: RequestOp's and ResponseOp's field numbers. */
export const OpType = { Range: 1, Put: 2, DeleteRange: 3, Txn: 4 } as const;
export type OpType = (typeof OpType)[keyof typeof OpType];

export class RangeRequest {
  readonly type: typeof OpType.Range;
  key: Uint8Array;
  /** Empty: the key alone; "\0": everything from the key on; else exclusive. */
  rangeEnd: Uint8Array;
  limit: number;
  /** ≤ 0: now. */
  revision: number;
  sortOrder: SortOrder;
  sortTarget: SortTarget;
  serializable: boolean;
  keysOnly: boolean;
  countOnly: boolean;
  minModRevision: number;
  maxModRevision: number;
  minCreateRevision: number;
  maxCreateRevision: number;

  constructor(fields: Partial<Omit<RangeRequest, "type">> | null = null) {
    this.type = OpType.Range;
    this.key = emptyBytes;
    this.rangeEnd = emptyBytes;
    this.limit = 0;
    this.revision = 0;
    this.sortOrder = SortOrder.None;
    this.sortTarget = SortTarget.Key;
    this.serializable = false;
    this.keysOnly = false;
    this.countOnly = false;
    this.minModRevision = 0;
    this.maxModRevision = 0;
    this.minCreateRevision = 0;
    this.maxCreateRevision = 0;
    if (fields !== null) Object.assign(this, fields);
  }
}

export class PutRequest {
  readonly type: typeof OpType.Put;
  key: Uint8Array;
  value: Uint8Array;
  leaseHigh: number;
  leaseLow: number;
  prevKv: boolean;
  ignoreValue: boolean;
  ignoreLease: boolean;

  constructor(fields: Partial<Omit<PutRequest, "type">> | null = null) {
    this.type = OpType.Put;
    this.key = emptyBytes;
    this.value = emptyBytes;
    this.leaseHigh = 0;
    this.leaseLow = 0;
    this.prevKv = false;
    this.ignoreValue = false;
    this.ignoreLease = false;
    if (fields !== null) Object.assign(this, fields);
  }
}

export class DeleteRangeRequest {
  readonly type: typeof OpType.DeleteRange;
  key: Uint8Array;
  /** As RangeRequest's. */
  rangeEnd: Uint8Array;
  prevKv: boolean;

  constructor(fields: Partial<Omit<DeleteRangeRequest, "type">> | null = null) {
    this.type = OpType.DeleteRange;
    this.key = emptyBytes;
    this.rangeEnd = emptyBytes;
    this.prevKv = false;
    if (fields !== null) Object.assign(this, fields);
  }
}

/** A null operation is a RequestOp without content. */
export type RequestOp = RangeRequest | PutRequest | DeleteRangeRequest | TxnRequest | null;

export class TxnRequest {
  readonly type: typeof OpType.Txn;
  compare: Compare[];
  success: RequestOp[];
  failure: RequestOp[];
  /** Nested deeper than the reader went: the content is missing. */
  tooDeep: boolean;

  constructor(fields: Partial<Omit<TxnRequest, "type">> | null = null) {
    this.type = OpType.Txn;
    this.compare = [];
    this.success = [];
    this.failure = [];
    this.tooDeep = false;
    if (fields !== null) Object.assign(this, fields);
  }
}

/** The member of the oneof `target_union` that a Compare carries: its field number; 0: none. */
export const CompareOperand = {
  None: 0,
  Version: 4,
  Create: 5,
  Mod: 6,
  Value: 7,
  Lease: 8,
} as const;
export type CompareOperand = (typeof CompareOperand)[keyof typeof CompareOperand];

export class Compare {
  result: CompareResult;
  target: CompareTarget;
  key: Uint8Array;
  rangeEnd: Uint8Array;
  operand: CompareOperand;
  /** Of operand Version, Create or Mod. */
  number: number;
  /** Of operand Value. */
  value: Uint8Array;
  /** Of operand Lease. */
  leaseHigh: number;
  leaseLow: number;

  constructor(fields: Partial<Compare> | null = null) {
    this.result = CompareResult.Equal;
    this.target = CompareTarget.Version;
    this.key = emptyBytes;
    this.rangeEnd = emptyBytes;
    this.operand = CompareOperand.None;
    this.number = 0;
    this.value = emptyBytes;
    this.leaseHigh = 0;
    this.leaseLow = 0;
    if (fields !== null) Object.assign(this, fields);
  }
}

export class CompactionRequest {
  revision: number;
  physical: boolean;

  constructor(fields: Partial<CompactionRequest> | null = null) {
    this.revision = 0;
    this.physical = false;
    if (fields !== null) Object.assign(this, fields);
  }
}
