// Rows as a case reads them: names without the case's prefix, numbers instead of bigints.
import type { mvcc } from "@quorate/proto";
import { text } from "./trial.ts";
import type { Trial } from "./trial.ts";

export interface PlainRow {
  readonly key: string;
  readonly value: string;
  readonly create: bigint;
  readonly mod: bigint;
  readonly version: bigint;
  readonly lease: bigint;
}

export function plainRow(trial: Trial, row: mvcc.KeyValue): PlainRow {
  return {
    key: nameOf(trial, row.key),
    value: text(row.value),
    create: row.createRevision,
    mod: row.modRevision,
    version: row.version,
    lease: row.lease,
  };
}

export function plainRows(trial: Trial, rows: readonly mvcc.KeyValue[]): PlainRow[] {
  return rows.map((row) => plainRow(trial, row));
}

export function namesOf(trial: Trial, rows: readonly mvcc.KeyValue[]): string {
  return rows.map((row) => nameOf(trial, row.key)).join(" ");
}

export function nameOf(trial: Trial, key: Uint8Array): string {
  const whole = text(key);
  return whole.startsWith(trial.prefix) ? whole.slice(trial.prefix.length) : whole;
}
