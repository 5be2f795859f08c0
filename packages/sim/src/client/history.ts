// What clients asked and heard, in the order in which it happened. Unknown outcomes stay unknown:
// such an operation may take effect at any later time, or never.
import { latin1Decode } from "@quorate/base";
import { type Credential, type Failure, FailureCode, type RequestKind } from "@quorate/host";
import {
  type CompactionRequest,
  type DeleteRangeRequest,
  KvError,
  type PutRequest,
  type RangeRequest,
  type TxnRequest,
} from "@quorate/kv";
import { Entrance } from "./entrance.ts";

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
  readonly entrance: Entrance;
  /** The process that took it; "": none did. */
  incarnation: string;
  /** Place in the history's order of calls and returns. */
  readonly calledAt: number;
  /** Infinity while nothing is heard, and for ever when the outcome is unknown. */
  returnedAt: number;
  outcome: Outcome;
  reply: Uint8Array | null;
  failure: FailureCode | null;
  /** What the state machine refused it for. */
  kvError: KvError;
  #key: string | null;

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
    credential: Credential | null,
  ) {
    this.id = id;
    this.client = client;
    this.member = member;
    this.kind = planned.kind;
    this.request = planned.request;
    this.bytes = planned.bytes;
    this.serializable = planned.serializable;
    this.entrance = new Entrance(credential);
    this.incarnation = "";
    this.calledAt = calledAt;
    this.returnedAt = Number.POSITIVE_INFINITY;
    this.outcome = Outcome.Pending;
    this.reply = null;
    this.failure = null;
    this.kvError = KvError.None;
    this.#key = null;
  }

  /** Names the request, wherever it is asked again. */
  get key(): string {
    this.#key ??= requestKey(this.kind, this.bytes);
    return this.#key;
  }
}

/**
 * The end of a lease that may have been granted: it deletes the keys that carry it, once, at any time after
 * the grant was called, and nobody hears of it.
 */
export interface LeaseEnd {
  /** No operation has it. */
  readonly id: number;
  readonly calledAt: number;
  readonly lease: number;
  /** The grant was refused for certain. */
  isVoid: boolean;
}

/** Names a request: two kinds may encode to the same bytes. */
export function requestKey(kind: number, bytes: Uint8Array, from: number = 0): string {
  return `${kind} ${latin1Decode(bytes, from)}`;
}

/** `failure` null: the client heard nothing in its time. */
function outcomeOf(failure: Failure | null): Outcome {
  if (failure === null || failure.code === FailureCode.TimedOut) return Outcome.Unknown;
  // Of a write only the answer was given up (KvApi.apply).
  if (failure.kvError === KvError.ResponseTooLarge) return Outcome.Unknown;
  return Outcome.NotCommitted;
}

/** And downwards: no operation of a client has such an id, nor has anything else of a search. */
const leaseEndFirst = -10;

export class History {
  readonly operations: ClientOperation[];
  /** What clients bring that have none of their own; null: nothing. */
  credential: Credential | null;
  readonly #leaseEnds: LeaseEnd[];
  #moment: number;
  #notCommitted: number;

  constructor() {
    this.operations = [];
    this.credential = null;
    this.#leaseEnds = [];
    this.#moment = 0;
    this.#notCommitted = 0;
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
    credential: Credential | null = this.credential,
  ): ClientOperation {
    const operation = new ClientOperation(
      this.operations.length,
      client,
      member,
      planned,
      ++this.#moment,
      credential,
    );
    this.operations.push(operation);
    return operation;
  }

  ok(operation: ClientOperation, reply: Uint8Array): void {
    operation.outcome = Outcome.Ok;
    operation.reply = reply;
    operation.returnedAt = ++this.#moment;
  }

  failed(operation: ClientOperation, failure: Failure | null): void {
    operation.outcome = outcomeOf(failure);
    if (failure !== null) {
      operation.failure = failure.code;
      operation.kvError = failure.kvError;
    }
    if (operation.outcome !== Outcome.NotCommitted) return;
    operation.returnedAt = ++this.#moment;
    this.#notCommitted++;
  }

  get leaseEnds(): readonly LeaseEnd[] {
    return this.#leaseEnds.filter(({ isVoid }) => !isVoid);
  }

  /** A lease is granted, for all that its client knows; `calledAt`: when it asked. */
  leaseMayEnd(lease: number, calledAt: number): LeaseEnd {
    const id = leaseEndFirst - this.#leaseEnds.length;
    const end = { id, calledAt, lease, isVoid: false };
    this.#leaseEnds.push(end);
    return end;
  }

  /** Behind all that was called or has returned by now. */
  moment(): number {
    return ++this.#moment;
  }

  count(outcome: Outcome): number {
    return this.operations.filter((operation) => operation.outcome === outcome).length;
  }

  /** Operations that may have done something. */
  get effective(): number {
    return this.operations.length - this.#notCommitted;
  }
}
