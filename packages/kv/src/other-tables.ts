// The tables' sections of a checkpoint with other tables in them: for a recovery, which gives a state
// other members (host/src/recover). The state machine's own tables stay: alarms, leases, and users with
// their roles and rights. Tokens do not: what the old cluster gave out is not good in the new one.
import { must } from "@quorate/base";
import { AlarmTable } from "./alarm/alarm-table.ts";
import { AuthTable } from "./auth/auth-table.ts";
import { Hasher } from "./digest.ts";
import { DowngradeTable } from "./downgrade/downgrade-table.ts";
import { LeaseTable } from "./lease/lease-table.ts";
import { liveDigestOf } from "./live-digest-of.ts";
import { decodeStateRecord, encodeStateRecord, stateRecordName } from "./state-record.ts";
import { TableRecord } from "./table.ts";
import type { ReplicatedTable } from "./table.ts";

/** `registered`: all that were, in that order, as they shall be. Null: no state stands there. */
export function withOtherTables(
  records: readonly TableRecord[],
  registered: readonly ReplicatedTable[],
): TableRecord[] | null {
  const own = records.find(({ name }) => name === stateRecordName);
  const state = own === undefined ? null : decodeStateRecord(own.bytes);
  if (state === null) return null;
  const auth = new AuthTable();
  const kept = [new AlarmTable(), new LeaseTable(), auth, new DowngradeTable()];
  for (const table of kept) {
    const record = records.find(({ name }) => name === table.name);
    if (record !== undefined && !table.restore(record.bytes)) return null;
  }
  auth.tokens.clear();
  const tables = [...kept, ...registered];
  const live = liveDigestOf(new Hasher(), state.store, tables);
  const bytes = encodeStateRecord({ ...state, liveLow: live.low, liveHigh: live.high });
  return [
    new TableRecord(stateRecordName, bytes),
    ...tables.map((table) => new TableRecord(table.name, table.snapshot())),
  ];
}

export interface StateNumbers {
  readonly revision: number;
  readonly keys: number;
}

/** What a checkpoint's state record says; null: there is none. */
export function stateNumbersOf(records: readonly TableRecord[]): StateNumbers | null {
  const own = records.find(({ name }) => name === stateRecordName);
  return own === undefined ? null : must(decodeStateRecord(own.bytes), "a checked record").store;
}
