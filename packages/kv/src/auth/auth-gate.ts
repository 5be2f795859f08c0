// May who asks do what the request says? Asked at apply, by the envelope, and where a read is served:
// on the very state that the operation then works on, so that nothing comes between (reliability.md
// §6.3.3). Every operation and every compare of a transaction is looked at, in both branches and however
// deep (CVE-2026-33343), and ranges by the request's own bounds.
import { assertNever, emptyBytes } from "@quorate/base";
import { AlarmCause } from "../alarm/alarm-causes.ts";
import { decodeAlarmCommand } from "../alarm/alarm-command.ts";
import { KvError } from "../kv-error.ts";
import { decodeLeaseRevoke, RevokeCause } from "../lease/lease-commands.ts";
import { leaseIdHigh, leaseIdLow } from "../lease/lease-id.ts";
import type { LeaseId } from "../lease/lease-id.ts";
import { OperationKind } from "../operation.ts";
import {
  decodeDeleteRangeRequest,
  decodePutRequest,
  decodeTxnRequest,
} from "../wire/decode-request.ts";
import { OpType } from "../wire/request.ts";
import type { DeleteRangeRequest, PutRequest, RequestOp, TxnRequest } from "../wire/request.ts";
import { AuthAction, decodeAuthCommand } from "./auth-command.ts";
import type { AuthView } from "./auth-view.ts";
import type { Identity } from "./identity.ts";

/** The keys (latin1) that a lease holds; none of an unknown one. */
export type LeaseKeys = (leaseHigh: number, leaseLow: number) => Iterable<string>;

export class AuthGate {
  readonly #auth: AuthView;
  readonly #keysOfLease: LeaseKeys;

  constructor(auth: AuthView, keysOfLease: LeaseKeys) {
    this.#auth = auth;
    this.#keysOfLease = keysOfLease;
  }

  /**
   * Of a committed operation, whose request begins at `at`. What cannot be decoded is let through: its
   * handler says so, and does nothing.
   */
  mayApply(kind: OperationKind, identity: Identity, payload: Uint8Array, at: number): KvError {
    if (!this.#auth.enabled) return KvError.None;
    switch (kind) {
      case OperationKind.Put: {
        const put = decodePutRequest(payload, at);
        return put === null ? KvError.None : this.#mayPut(identity, put);
      }
      case OperationKind.DeleteRange: {
        const request = decodeDeleteRangeRequest(payload, at);
        return request === null ? KvError.None : this.#mayDelete(identity, request);
      }
      case OperationKind.Txn: {
        const txn = decodeTxnRequest(payload, at);
        return txn === null ? KvError.None : this.mayRunTxn(identity, txn);
      }
      case OperationKind.Compact:
      case OperationKind.Downgrade:
        return this.#auth.mayAdminister(identity);
      case OperationKind.Alarm: {
        // Members raise and take back their own without asking anybody.
        const isByHand = decodeAlarmCommand(payload, at)?.cause === AlarmCause.Operator;
        return isByHand ? this.#auth.mayAdminister(identity) : KvError.None;
      }
      case OperationKind.LeaseGrant:
        return this.#auth.mayCall(identity);
      case OperationKind.LeaseRevoke: {
        const command = decodeLeaseRevoke(payload, at);
        // Whose time is up needs nobody's leave.
        if (command === null || command.cause === RevokeCause.Expired) return KvError.None;
        return this.mayKeep(identity, command.id);
      }
      case OperationKind.LeaseCheckpoint:
        return KvError.None;
      case OperationKind.Auth: {
        const action = decodeAuthCommand(payload, at)?.action;
        const isManagement = action !== undefined && !isOfTokens(action);
        return isManagement ? this.#auth.mayAdminister(identity) : KvError.None;
      }
      default:
        return assertNever(kind, "operation kind");
    }
  }

  /**
   * Renew or revoke a lease: write all keys that it holds; any user may, while it holds none (etcd's
   * checkLeasePuts and checkLeaseRenew).
   */
  mayKeep(identity: Identity, id: LeaseId): KvError {
    const called = this.#auth.mayCall(identity);
    if (called !== KvError.None) return called;
    if (this.#auth.mayAdminister(identity) === KvError.None) return KvError.None;
    const held = [...this.#heldBy(id)];
    return held.length === 0 ? KvError.None : this.#auth.mayWriteKeys(identity, held);
  }

  mayRunTxn(identity: Identity, txn: TxnRequest): KvError {
    for (const { key, rangeEnd } of txn.compare) {
      const error = this.#auth.mayRange(identity, key, rangeEnd);
      if (error !== KvError.None) return error;
    }
    for (const op of txn.success) {
      const error = this.#mayRunOp(identity, op);
      if (error !== KvError.None) return error;
    }
    for (const op of txn.failure) {
      const error = this.#mayRunOp(identity, op);
      if (error !== KvError.None) return error;
    }
    return KvError.None;
  }

  #mayRunOp(identity: Identity, op: RequestOp): KvError {
    if (op === null) return KvError.None;
    switch (op.type) {
      case OpType.Range:
        return this.#auth.mayRange(identity, op.key, op.rangeEnd);
      case OpType.Put:
        return this.#mayPut(identity, op);
      case OpType.DeleteRange:
        return this.#mayDelete(identity, op);
      case OpType.Txn:
        return this.mayRunTxn(identity, op);
      default:
        return assertNever(op, "operation");
    }
  }

  #heldBy(id: LeaseId): Iterable<string> {
    return this.#keysOfLease(leaseIdHigh(id), leaseIdLow(id));
  }

  /** Who attaches a key to a lease must be able to revoke it: to write all that it holds. */
  #mayPut(identity: Identity, put: PutRequest): KvError {
    const { key, leaseHigh, leaseLow, prevKv } = put;
    const error = this.#auth.mayWrite(identity, key, emptyBytes);
    if (error !== KvError.None) return error;
    if ((leaseHigh | leaseLow) !== 0) {
      const held = this.#auth.mayWriteKeys(identity, this.#keysOfLease(leaseHigh, leaseLow));
      if (held !== KvError.None) return held;
    }
    return prevKv ? this.#auth.mayRange(identity, key, emptyBytes) : KvError.None;
  }

  #mayDelete(identity: Identity, { key, rangeEnd, prevKv }: DeleteRangeRequest): KvError {
    const error = this.#auth.mayWrite(identity, key, rangeEnd);
    if (error !== KvError.None || !prevKv) return error;
    return this.#auth.mayRange(identity, key, rangeEnd);
  }
}

/** Proposed by members for a user that has said who it is, or for nobody in particular. */
function isOfTokens(action: AuthAction): boolean {
  return (
    action === AuthAction.IssueToken ||
    action === AuthAction.RenewTokens ||
    action === AuthAction.ExpireTokens
  );
}
