// What clients asked and heard, in the order in which it happened. Unknown outcomes stay unknown:
// such an operation may take effect at any later time, or never.
import type { FailureCode, RequestKind } from "@quorate/host";
import type {
  CompactionRequest,
  DeleteRangeRequest,
  PutRequest,
  RangeRequest,
  TxnRequest,
} from "@quorate/kv";

export type ClientRequest =
  | RangeRequest
  | PutRequest
  | DeleteRangeRequest
  | TxnRequest
  | CompactionRequest;

export const Outcome = {
  Pending: 0,
  Ok: 1,
  /** Refused for certain: it must never take effect. */
  NotCommitted: 2,
  /** Timed out, or the member died, or the reply was lost. */
  Unknown: 3,
} as const;
export type Outcome = (typeof Outcome)[keyof typeof Outcome];

export class ClientOperation {
  readonly id: number;
  readonly client: number;
  readonly member: string;
  readonly kind: RequestKind;
  readonly request: ClientRequest;
  readonly bytes: Uint8Array;
  readonly serializable: boolean;
  /** Place in the history's order of calls and returns. */
  readonly calledAt: number;
  /** Infinity while nothing is heard, and for ever when the outcome is unknown. */
  returnedAt: number;
  outcome: Outcome;
  reply: Uint8Array | null;
  failure: FailureCode | null;

  constructor(
    id: number,
    client: number,
    member: string,
    planned: {
      kind: RequestKind;
      request: ClientRequest;
      bytes: Uint8Array;
      serializable: boolean;
    },
    calledAt: number,
  ) {
    this.id = id;
    this.client = client;
    this.member = member;
    this.kind = planned.kind;
    this.request = planned.request;
    this.bytes = planned.bytes;
    this.serializable = planned.serializable;
    this.calledAt = calledAt;
    this.returnedAt = Number.POSITIVE_INFINITY;
    this.outcome = Outcome.Pending;
    this.reply = null;
    this.failure = null;
  }
}

export class History {
  readonly operations: ClientOperation[];
  #moment: number;

  constructor() {
    this.operations = [];
    this.#moment = 0;
  }

  call(
    client: number,
    member: string,
    planned: {
      kind: RequestKind;
      request: ClientRequest;
      bytes: Uint8Array;
      serializable: boolean;
    },
  ): ClientOperation {
    const operation = new ClientOperation(
      this.operations.length,
      client,
      member,
      planned,
      ++this.#moment,
    );
    this.operations.push(operation);
    return operation;
  }

  ok(operation: ClientOperation, reply: Uint8Array): void {
    operation.outcome = Outcome.Ok;
    operation.reply = reply;
    operation.returnedAt = ++this.#moment;
  }

  failed(operation: ClientOperation, outcome: Outcome, failure: FailureCode | null): void {
    operation.outcome = outcome;
    operation.failure = failure;
    if (outcome === Outcome.NotCommitted) operation.returnedAt = ++this.#moment;
  }

  count(outcome: Outcome): number {
    return this.operations.filter((operation) => operation.outcome === outcome).length;
  }
}
