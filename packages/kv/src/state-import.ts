// Builds a state from rows that come from elsewhere: a snapshot of etcd. Each row goes to the row store
// and into the index by the rules of a rebuild (mvcc/store.ts), which refuses what no sequence of writes
// can have made. Nothing is known beforehand of what they add up to: that is counted here.
import { assert } from "@quorate/base";
import type { AuthTable } from "./auth/auth-table.ts";
import { authTableOf } from "./auth/imported-auth.ts";
import type { ImportedAuth } from "./auth/imported-auth.ts";
import { KvError } from "./kv-error.ts";
import { leaseIdOf } from "./lease/lease-id.ts";
import { LeaseTable } from "./lease/lease-table.ts";
import { MvccStore } from "./mvcc/store.ts";
import { withOtherTables } from "./other-tables.ts";
import { ScannedRow } from "./rows.ts";
import type { Row, RowStore } from "./rows.ts";
import { encodeStateRecord, stateRecordName } from "./state-record.ts";
import { TableRecord } from "./table.ts";
import type { ReplicatedTable } from "./table.ts";

export interface ImportNumbers {
  /** At least 1, and that of the last row. */
  readonly revision: number;
  /** -1: never compacted. */
  readonly compactRevision: number;
  readonly leases: readonly ImportedLease[];
  /** `authProblem` has found none. */
  readonly auth: ImportedAuth;
}

export interface ImportedLease {
  /** The id's two unsigned halves. */
  readonly high: number;
  readonly low: number;
  readonly ttlSeconds: number;
  /** 0: all of it remains. */
  readonly remainingTtlSeconds: number;
}

export class StateImport {
  readonly #rows: RowStore;
  readonly #leases: LeaseTable;
  readonly #auth: AuthTable;
  readonly #store: MvccStore;
  readonly #scanned: ScannedRow;

  constructor(rows: RowStore, { revision, compactRevision, leases, auth }: ImportNumbers) {
    assert(revision >= 1 && compactRevision <= revision, "revisions of a state");
    this.#rows = rows;
    this.#leases = leasesOf(leases);
    const table = authTableOf(auth);
    assert(typeof table !== "string", "users and roles have been checked");
    this.#auth = table;
    this.#store = new MvccStore(rows, this.#leases);
    this.#scanned = new ScannedRow();
    this.#store.beginRebuild({
      ...this.#store.numbers(),
      revision,
      compactRevision,
      // Rows of etcd's have no clock: their revisions stand for it, below any of ours.
      hlc: revision,
    });
  }

  /** In order of revisions; with the main revision as its hlc. False: it cannot come after those before. */
  add(row: Row): boolean {
    assert(row.hlc === row.main, "the revision stands for the clock");
    const ref = this.#rows.append(row);
    this.#store.rebuildRow(this.#asScanned(row), ref);
    return !this.#store.isDamaged;
  }

  /** Every key that is bound to a lease is bound to one that there is. */
  get leasesComplete(): boolean {
    return this.#leases.complete;
  }

  /** The sections of a checkpoint at `appliedIndex`; `registered` as they shall be, in their order. */
  tables(appliedIndex: number, registered: readonly ReplicatedTable[]): TableRecord[] {
    this.#store.finishImport();
    const record = encodeStateRecord({
      appliedIndex,
      store: this.#store.numbers(),
      applyLow: 0,
      applyHigh: 0,
      liveLow: 0,
      liveHigh: 0,
    });
    const own = [
      new TableRecord(stateRecordName, record),
      new TableRecord(this.#leases.name, this.#leases.snapshot()),
      new TableRecord(this.#auth.name, this.#auth.snapshot()),
    ];
    const tables = withOtherTables(own, registered);
    assert(tables !== null, "a state record stands there");
    return tables;
  }

  #asScanned(row: Row): ScannedRow {
    const scanned = this.#scanned;
    const { key, value } = row;
    if (scanned.block.length < key.length + value.length) {
      scanned.block = new Uint8Array(2 * (key.length + value.length));
    }
    scanned.main = row.main;
    scanned.sub = row.sub;
    scanned.tombstone = row.tombstone;
    scanned.createRevision = row.createRevision;
    scanned.version = row.version;
    scanned.leaseHigh = row.leaseHigh;
    scanned.leaseLow = row.leaseLow;
    scanned.hlc = row.hlc;
    scanned.origin = row.origin;
    scanned.originSequence = row.originSequence;
    scanned.block.set(key);
    scanned.block.set(value, key.length);
    scanned.keyAt = 0;
    scanned.valueAt = key.length;
    scanned.end = key.length + value.length;
    return scanned;
  }
}

/** Ids and times have been checked. */
function leasesOf(imported: readonly ImportedLease[]): LeaseTable {
  const table = new LeaseTable();
  for (const { high, low, ttlSeconds, remainingTtlSeconds } of imported) {
    const id = leaseIdOf(high, low);
    const refusal = table.grant(id, ttlSeconds, 0);
    assert(refusal === KvError.None, "leases of a snapshot are told apart by their ids");
    const lease = table.get(id);
    if (lease !== null && remainingTtlSeconds > 0) table.checkpoint(lease, remainingTtlSeconds);
  }
  return table;
}
