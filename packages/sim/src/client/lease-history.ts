// What clients asked about leases and heard, and when: by the world's time, which T1 counts in, and by the
// moments of the history of keys, which the search through it orders by.
import { latin1Decode, must } from "@quorate/base";
import { type Credential, FailureCode, type Failure } from "@quorate/host";
import { KvError, type LeaseResponse } from "@quorate/kv";
import { numberOfLease } from "../model/lease-number.ts";
import { Entrance } from "./entrance.ts";
import { type History, type LeaseEnd, Outcome } from "./history.ts";

export const LeaseCall = { Grant: 1, Revoke: 2, KeepAlive: 3, TimeToLive: 4 } as const;
export type LeaseCall = (typeof LeaseCall)[keyof typeof LeaseCall];

export class LeaseOperation {
  readonly id: number;
  readonly call: LeaseCall;
  readonly member: string;
  /** Which was asked about; of a grant the one that was asked for, 0: the member may choose. */
  readonly lease: number;
  readonly entrance: Entrance;
  readonly calledUs: number;
  /** Infinity: nothing was heard. */
  returnedUs: number;
  /** Moments of the history. */
  readonly calledAt: number;
  outcome: Outcome;
  kvError: KvError;
  /** Of the answer. */
  granted: number;
  ttlSeconds: number;
  revision: number;
  keys: readonly string[];
  /** Of a grant under a name: what may come of it. */
  end: LeaseEnd | null;

  constructor(
    id: number,
    call: LeaseCall,
    member: string,
    lease: number,
    calledUs: number,
    calledAt: number,
    credential: Credential | null = null,
  ) {
    this.id = id;
    this.call = call;
    this.member = member;
    this.lease = lease;
    this.entrance = new Entrance(credential);
    this.calledUs = calledUs;
    this.returnedUs = Infinity;
    this.calledAt = calledAt;
    this.outcome = Outcome.Pending;
    this.kvError = KvError.None;
    this.granted = 0;
    this.ttlSeconds = 0;
    this.revision = 0;
    this.keys = [];
    this.end = null;
  }
}

export class LeaseHistory {
  readonly operations: LeaseOperation[];
  readonly #history: History;

  /** `history`: of keys; both have one order of moments. */
  constructor(history: History) {
    this.operations = [];
    this.#history = history;
  }

  begin(
    call: LeaseCall,
    member: string,
    lease: number,
    nowUs: number,
    credential: Credential | null = null,
  ): LeaseOperation {
    const { operations } = this;
    const id = operations.length;
    const at = this.#history.moment();
    const operation = new LeaseOperation(id, call, member, lease, nowUs, at, credential);
    operations.push(operation);
    if (call === LeaseCall.Grant && lease !== 0) {
      operation.end = this.#history.leaseMayEnd(lease, at);
    }
    return operation;
  }

  /** `failure` null: its client has heard nothing in its time. */
  failed(operation: LeaseOperation, failure: Failure | null, nowUs: number): void {
    const unknown = failure === null || failure.code === FailureCode.TimedOut;
    operation.outcome = unknown ? Outcome.Unknown : Outcome.NotCommitted;
    if (!unknown && operation.end !== null) operation.end.isVoid = true;
    if (failure === null) return;
    operation.returnedUs = nowUs;
    operation.kvError = failure.kvError;
  }

  /** A response. */
  heard(operation: LeaseOperation, response: LeaseResponse, nowUs: number): void {
    const { header, id, ttlSeconds, keys } = response;
    operation.outcome = Outcome.Ok;
    operation.returnedUs = nowUs;
    operation.granted = numberOfLease(id);
    operation.ttlSeconds = ttlSeconds;
    operation.revision = must(header, "a header").revision;
    operation.keys = keys.map((key) => latin1Decode(key));
    if (operation.call !== LeaseCall.Grant || operation.end !== null) return;
    operation.end = this.#history.leaseMayEnd(operation.granted, operation.calledAt);
  }
}
