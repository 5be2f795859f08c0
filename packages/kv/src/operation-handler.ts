// What one kind of operation is to apply (operation-handlers.ts lists them).
import type { AlarmTable } from "./alarm/alarm-table.ts";
import type { AuthTable } from "./auth/auth-table.ts";
import type { DowngradeTable } from "./downgrade/downgrade-table.ts";
import type { AppliedOperation } from "./kv-api.ts";
import type { KvError } from "./kv-error.ts";
import type { LeaseTable } from "./lease/lease-table.ts";
import type { MvccStore } from "./mvcc/store.ts";
import type { ReplyBuilder } from "./reply.ts";

export interface ReplicatedState {
  readonly store: MvccStore;
  readonly alarms: AlarmTable;
  readonly leases: LeaseTable;
  readonly auth: AuthTable;
  readonly downgrade: DowngradeTable;
}

/**
 * `request` starts at `at` in the payload; a reply is written when there is a builder. `operation`:
 * the entry as a whole.
 */
export type OperationHandler = (
  state: ReplicatedState,
  payload: Uint8Array,
  at: number,
  wallMs: number,
  reply: ReplyBuilder | null,
  operation: AppliedOperation,
) => KvError;
