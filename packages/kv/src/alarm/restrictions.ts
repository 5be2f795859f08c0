// What active alarms refuse, as etcd's applierV3Capped and applierV3Corrupt: decided at apply, from
// the replicated table alone, so that all members refuse the same entries. Reads skip the log, and go
// on. Unlike etcd 3.4, puts of inner transactions are seen.
import { assertNever } from "@quorate/base";
import { KvError } from "../kv-error.ts";
import { OperationKind } from "../operation.ts";
import { decodeTxnRequest } from "../wire/decode-request.ts";
import { OpType } from "../wire/request.ts";
import type { RequestOp, TxnRequest } from "../wire/request.ts";
import type { AlarmTable } from "./alarm-table.ts";
import { AlarmType } from "./alarm-type.ts";

/** What an operation needs that an alarm may refuse. */
const Needs = {
  /** Allowed whatever is wrong. */
  Nothing: 0,
  /** Members whose states agree; it takes no room for long, or gives some back. */
  EqualStates: 1,
  /** Room as well. */
  Space: 2,
  /** Room as well, if one of its branches puts. */
  SpaceForPuts: 3,
} as const;
type Needs = (typeof Needs)[keyof typeof Needs];

const needs: Record<OperationKind, Needs> = {
  [OperationKind.Put]: Needs.Space,
  [OperationKind.DeleteRange]: Needs.EqualStates,
  [OperationKind.Txn]: Needs.SpaceForPuts,
  [OperationKind.Compact]: Needs.EqualStates,
  [OperationKind.Alarm]: Needs.Nothing,
  [OperationKind.LeaseGrant]: Needs.Space,
  [OperationKind.LeaseRevoke]: Needs.EqualStates,
  // Says only what is so anyway.
  [OperationKind.LeaseCheckpoint]: Needs.Nothing,
  [OperationKind.Auth]: Needs.Nothing,
  [OperationKind.Downgrade]: Needs.Nothing,
};

/** None: it may be carried out. `request` starts at `at` in the payload. */
export function refusalOf(
  table: AlarmTable,
  kind: OperationKind,
  payload: Uint8Array,
  at: number,
): KvError {
  if (table.alarms.length === 0) return KvError.None;
  const needed = needs[kind];
  if (needed === Needs.Nothing) return KvError.None;
  if (table.isActive(AlarmType.Corrupt)) return KvError.Corrupt;
  if (!table.isActive(AlarmType.NoSpace)) return KvError.None;
  switch (needed) {
    case Needs.EqualStates:
      return KvError.None;
    case Needs.Space:
      return KvError.NoSpace;
    case Needs.SpaceForPuts:
      return putsSomething(decodeTxnRequest(payload, at)) ? KvError.NoSpace : KvError.None;
    default:
      return assertNever(needed, "need");
  }
}

/** Whether an alarm NOSPACE would refuse this request. */
export function takesSpace(kind: OperationKind, request: Uint8Array): boolean {
  const needed = needs[kind];
  if (needed === Needs.SpaceForPuts) return putsSomething(decodeTxnRequest(request));
  return needed === Needs.Space;
}

/** In either branch; what is no transaction puts nothing. */
function putsSomething(txn: TxnRequest | null): boolean {
  const puts = (op: RequestOp): boolean =>
    op !== null && (op.type === OpType.Put || (op.type === OpType.Txn && putsSomething(op)));
  return txn !== null && (txn.success.some(puts) || txn.failure.some(puts));
}
