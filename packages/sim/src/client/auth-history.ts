// What clients asked about users, roles and rights, and who logged in, in the moments of the history of
// keys. Judged when the run is over (checkers/auth-*.ts).
import type { Credential, Failure } from "@quorate/host";
import { FailureCode } from "@quorate/host";
import { type AuthCommand, KvError, type TokenHash } from "@quorate/kv";
import { Entrance } from "./entrance.ts";
import { type History, Outcome } from "./history.ts";

export interface LoginAttempt {
  readonly user: string;
  /** Of the password that was given. */
  readonly passwordHash: string;
}

/** A change of users, roles or rights, or a login. */
export type AuthAsk = AuthCommand | LoginAttempt;

export class AuthOperation {
  readonly id: number;
  readonly member: string;
  readonly ask: AuthAsk;
  readonly entrance: Entrance;
  readonly calledAt: number;
  /** Infinity: nothing was heard. */
  returnedAt: number;
  outcome: Outcome;
  kvError: KvError;
  /** Of a login: what was given out; null: nothing, or something signed. */
  token: TokenHash | null;

  constructor(id: number, member: string, ask: AuthAsk, entrance: Entrance, calledAt: number) {
    this.id = id;
    this.member = member;
    this.ask = ask;
    this.entrance = entrance;
    this.calledAt = calledAt;
    this.returnedAt = Number.POSITIVE_INFINITY;
    this.outcome = Outcome.Pending;
    this.kvError = KvError.None;
    this.token = null;
  }
}

export class AuthHistory {
  readonly operations: AuthOperation[];
  readonly #history: History;

  constructor(history: History) {
    this.operations = [];
    this.#history = history;
  }

  begin(member: string, ask: AuthAsk, credential: Credential | null): AuthOperation {
    const { operations } = this;
    const at = this.#history.moment();
    const entrance = new Entrance(credential);
    const operation = new AuthOperation(operations.length, member, ask, entrance, at);
    operations.push(operation);
    return operation;
  }

  ok(operation: AuthOperation): void {
    operation.outcome = Outcome.Ok;
    operation.returnedAt = this.#history.moment();
  }

  /** `failure` null: its client has heard nothing in its time. */
  failed(operation: AuthOperation, failure: Failure | null): void {
    const isUnknown = failure === null || failure.code === FailureCode.TimedOut;
    operation.outcome = isUnknown ? Outcome.Unknown : Outcome.NotCommitted;
    if (failure === null) return;
    operation.kvError = failure.kvError;
    if (!isUnknown) operation.returnedAt = this.#history.moment();
  }
}

export function isLogin(ask: AuthAsk): ask is LoginAttempt {
  return !("action" in ask);
}
