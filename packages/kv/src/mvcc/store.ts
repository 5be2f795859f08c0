// The MVCC store: rows in a RowStore, the key index over them, revisions, the live digest and
// compaction, with the rules of etcd 3.4's mvcc package. Knows no requests and no responses. One
// write transaction at a time: `begin`, puts and deletes, `commit`; all its rows share one main
// revision and one hlc, in order of sub.
import { assert, emptyBytes, latin1Decode, latin1Encode } from "@quorate/base";
import { Hasher } from "../digest.ts";
import type { Lease } from "../lease/lease.ts";
import { LeaseTable } from "../lease/lease-table.ts";
import { Row } from "../rows.ts";
import type { RowHead, RowRef, RowStore, ScannedRow } from "../rows.ts";
import { KeyIndex } from "./key-index.ts";
import { hashRow, hashScanned, LiveDigest } from "./live-digest.ts";

/** Wall milliseconds become hlc units (DESIGN.md 12). */
const HLC_PER_MS = 1024;
/** What one rebuilt row can make unreachable: a version, and for a tombstone itself. */
const REBUILD_COMPACT_MAX = 4;

/** The numbers of the store that a checkpoint keeps; see state-record.ts. */
export interface StoreNumbers {
  readonly revision: number;
  readonly compactRevision: number;
  readonly hlc: number;
  readonly keys: number;
  readonly liveBytes: number;
  readonly puts: number;
  readonly deletes: number;
  readonly digestLow: number;
  readonly digestHigh: number;
}

export class MvccStore {
  readonly rows: RowStore;
  /** Told which live rows carry a lease. */
  readonly leases: LeaseTable;
  index: KeyIndex;
  /** Newest committed main revision; an empty store is at 1, as etcd's. */
  revision: number;
  /** History below it is gone; -1 before any compaction, as in etcd. */
  compactRevision: number;
  /** Of the newest row; rows of one revision share it. */
  hlc: number;
  keys: number;
  liveBytes: number;
  puts: number;
  deletes: number;
  digest: LiveDigest;
  /** While above 0 compaction drops nothing: a HashKV is under way. */
  holds: number;
  /** Hears of every row that a transaction writes, in order; null: nobody listens. */
  onRow: ((key: string, row: Row) => void) | null;
  /** +1 with every rebuild: what was begun before it must begin again. */
  generation: number;

  readonly #hasher: Hasher;
  /** Bound once, for `compactOne`. */
  readonly #dropped: (ref: RowRef, tombstone: boolean) => void;
  /** Rows written by the transaction that is open; -1: none is open. */
  #changes: number;
  #wallMs: number;
  /** What a rebuild must arrive at; null: none is under way. */
  #expected: StoreNumbers | null;
  #damaged: boolean;
  #lastMain: number;
  #lastSub: number;

  constructor(rows: RowStore, leases: LeaseTable = new LeaseTable()) {
    this.rows = rows;
    this.leases = leases;
    this.index = new KeyIndex();
    this.revision = 1;
    this.compactRevision = -1;
    this.hlc = 0;
    this.keys = 0;
    this.liveBytes = 0;
    this.puts = 0;
    this.deletes = 0;
    this.digest = new LiveDigest();
    this.holds = 0;
    this.onRow = null;
    this.generation = 0;
    this.#hasher = new Hasher();
    // A tombstone must outlive the rows that it deletes, and the store reclaims in any order: only
    // a later scan can tell that they are gone (rebuildRow).
    this.#dropped = (ref, tombstone) => {
      if (!tombstone) rows.dead(ref);
    };
    this.#changes = -1;
    this.#wallMs = 0;
    this.#expected = null;
    this.#damaged = false;
    this.#lastMain = 0;
    this.#lastSub = -1;
  }

  /** Where reads of "now" read: inside a transaction they see what it has written. */
  get readRevision(): number {
    return this.#changes > 0 ? this.revision + 1 : this.revision;
  }

  // ---- Writing ------------------------------------------------------------------------------------

  /** `wallMs`: the entry's stamp. */
  begin(wallMs: number): void {
    assert(this.#changes === -1, "MvccStore.begin: a transaction is open");
    assert(this.#expected === null, "MvccStore.begin: a rebuild is under way");
    this.#changes = 0;
    this.#wallMs = wallMs;
  }

  /** The revision moves only if something was written. */
  commit(): void {
    assert(this.#changes >= 0, "MvccStore.commit: no transaction is open");
    if (this.#changes > 0) this.revision++;
    this.#changes = -1;
  }

  /** The row store and the index may keep views of `keyBytes` and `value`; the lease exists. */
  put(
    key: string,
    keyBytes: Uint8Array,
    value: Uint8Array,
    leaseHigh: number,
    leaseLow: number,
  ): void {
    const main = this.revision + 1;
    const { slots } = this.index;
    const old = this.index.findLive(key);
    const createRevision = old < 0 ? main : slots.createRevision(old);
    const version = old < 0 ? 1 : slots.version(old) + 1;
    const sub = this.#nextSub();
    const row = new Row(
      main,
      sub,
      false,
      createRevision,
      version,
      leaseHigh,
      leaseLow,
      this.hlc,
      0,
      0,
      keyBytes,
      value,
    );
    const ref = this.#append(row);
    hashRow(this.#hasher, row);
    this.#putHashed(key, old, row, ref, value.length);
    this.puts++;
    if (this.onRow !== null) this.onRow(key, row);
  }

  /** Deletes the live keys of [key, end) (`end` null: no end); how many there were. */
  deleteRange(key: string, end: string | null): number {
    const slots = this.index.collectLive(key, end);
    for (const slot of slots) this.#deleteSlot(slot);
    return slots.length;
  }

  /** Deletes one key; 0 or 1. */
  deleteKey(key: string): number {
    const slot = this.index.findLive(key);
    if (slot < 0) return 0;
    this.#deleteSlot(slot);
    return 1;
  }

  /** Deletes the keys of a lease, in order. */
  deleteAttached(lease: Lease): void {
    for (const slot of this.#attachedSlots(lease)) this.#deleteSlot(slot);
  }

  /** In order. */
  attachedKeys(lease: Lease): readonly Uint8Array[] {
    return this.#attachedSlots(lease).map((slot) => latin1Encode(this.index.slots.key(slot)));
  }

  #attachedSlots({ slots }: Lease): readonly number[] {
    const key = (slot: number): string => this.index.slots.key(slot);
    return [...slots].sort((a, b) => (key(a) < key(b) ? -1 : 1));
  }

  #deleteSlot(slot: number): void {
    const key = this.index.slots.key(slot);
    const keyBytes = latin1Encode(key);
    const main = this.revision + 1;
    const sub = this.#nextSub();
    const row = new Row(main, sub, true, 0, 0, 0, 0, this.hlc, 0, 0, keyBytes, emptyBytes);
    this.#deleteRow(slot, main, this.#append(row));
    this.deletes++;
    if (this.onRow !== null) this.onRow(key, row);
  }

  #nextSub(): number {
    assert(this.#changes >= 0, "MvccStore: no transaction is open");
    if (this.#changes === 0) this.hlc = Math.max(this.hlc + 1, this.#wallMs * HLC_PER_MS);
    return this.#changes++;
  }

  #append(row: Row): RowRef {
    const ref = this.rows.append(row);
    assert(Number.isSafeInteger(ref) && ref >= 0, "MvccStore: a row's ref is no safe integer");
    return ref;
  }

  /** The hasher holds the row's digest. */
  #putHashed(key: string, old: number, row: RowHead, ref: RowRef, valueBytes: number): void {
    const { slots } = this.index;
    if (old < 0) {
      this.keys++;
      this.liveBytes += key.length;
    } else {
      this.liveBytes -= slots.valueBytes(old);
      this.digest.remove(slots.digestLow(old), slots.digestHigh(old));
      this.#detach(old);
    }
    const slot = this.index.put(key, row.main, ref, row.createRevision, row.version);
    slots.setContent(slot, this.#hasher.low, this.#hasher.high, valueBytes);
    const { leaseHigh, leaseLow } = row;
    const leased = (leaseHigh | leaseLow) !== 0;
    slots.setLease(slot, leased ? this.leases.attach(leaseHigh, leaseLow, slot) : 0);
    this.digest.add(this.#hasher.low, this.#hasher.high);
    this.liveBytes += valueBytes;
  }

  #deleteRow(slot: number, main: number, ref: RowRef): void {
    const { slots } = this.index;
    this.keys--;
    this.liveBytes -= slots.key(slot).length + slots.valueBytes(slot);
    this.#detach(slot);
    this.digest.remove(slots.digestLow(slot), slots.digestHigh(slot));
    this.index.delete(slot, main, ref);
  }

  #detach(slot: number): void {
    const number = this.index.slots.lease(slot);
    if (number !== 0) this.leases.detach(number, slot);
  }

  // ---- Compaction ---------------------------------------------------------------------------------

  /** Takes effect at once for readers; what it made unreachable goes with `compactStep`. */
  compact(revision: number): void {
    assert(revision > this.compactRevision, "MvccStore.compact: already compacted");
    assert(revision <= this.revision, "MvccStore.compact: a future revision");
    this.compactRevision = revision;
  }

  /** Leaves out so many revisions, and makes everything before the new one unreachable. */
  raise(revisions: number): void {
    assert(this.#changes === -1, "MvccStore.raise: a transaction is open");
    assert(Number.isSafeInteger(this.revision + revisions) && revisions > 0, "MvccStore.raise");
    this.revision += revisions;
    this.compact(this.revision);
  }

  /** Every row that is unreachable has been reported to the row store, but for tombstones. */
  get compacted(): boolean {
    return !this.index.hasUnreachable(this.compactRevision);
  }

  /** Reports at most `versionsMax` unreachable rows to the row store; true when none is left. */
  compactStep(versionsMax: number): boolean {
    if (this.holds > 0) return true;
    for (let count = 0; count < versionsMax; count++) {
      if (!this.index.compactOne(this.compactRevision, this.#dropped)) return true;
    }
    return false;
  }

  // ---- Rebuilding from a checkpoint's rows ----------------------------------------------------------

  numbers(): StoreNumbers {
    return {
      revision: this.revision,
      compactRevision: this.compactRevision,
      hlc: this.hlc,
      keys: this.keys,
      liveBytes: this.liveBytes,
      puts: this.puts,
      deletes: this.deletes,
      digestLow: this.digest.low,
      digestHigh: this.digest.high,
    };
  }

  /** Forgets everything. `expected`: the checkpoint's numbers; rows follow. */
  beginRebuild(expected: StoreNumbers): void {
    assert(this.#changes === -1, "MvccStore.beginRebuild: a transaction is open");
    this.generation++;
    this.index = new KeyIndex();
    this.digest = new LiveDigest();
    this.revision = expected.revision;
    this.compactRevision = expected.compactRevision;
    this.hlc = expected.hlc;
    this.puts = expected.puts;
    this.deletes = expected.deletes;
    this.keys = 0;
    this.liveBytes = 0;
    this.holds = 0;
    this.#expected = expected;
    this.#damaged = false;
    this.#lastMain = 0;
    this.#lastSub = -1;
  }

  /** Rows in the order of their revisions. Those that are unreachable by now are reported dead. */
  rebuildRow(row: ScannedRow, ref: RowRef): void {
    assert(this.#expected !== null, "MvccStore.rebuildRow: no rebuild is under way");
    const ascends =
      row.main > this.#lastMain || (row.main === this.#lastMain && row.sub > this.#lastSub);
    if (!ascends || row.main > this.revision || row.hlc > this.hlc) {
      this.#damaged = true;
      return;
    }
    this.#lastMain = row.main;
    this.#lastSub = row.sub;
    const key = latin1Decode(row.block, row.keyAt, row.valueAt);
    const old = this.index.findLive(key);
    // Above the compaction revision every row is there, so each must continue the one before it.
    if (row.main > this.compactRevision && !this.#continues(old, row)) {
      this.#damaged = true;
      return;
    }
    if (!row.tombstone) {
      hashScanned(this.#hasher, row);
      this.#putHashed(key, old, row, ref, row.end - row.valueAt);
    } else if (old >= 0) this.#deleteRow(old, row.main, ref);
    // All that it deleted has been reclaimed: now it may go too; but not while a watcher may begin
    // with it, which is so at the compaction revision itself (#18089, #19179).
    else if (row.main < this.compactRevision) this.rows.dead(ref);
    this.compactStep(REBUILD_COMPACT_MAX);
  }

  #continues(old: number, row: RowHead): boolean {
    if (row.tombstone) return old >= 0;
    const { slots } = this.index;
    if (old < 0) return row.version === 1 && row.createRevision === row.main;
    return (
      row.version === slots.version(old) + 1 && row.createRevision === slots.createRevision(old)
    );
  }

  /** Of the rebuild under way: a row was there that cannot stand behind those before it. */
  get isDamaged(): boolean {
    return this.#damaged;
  }

  /** Instead of finishRebuild, where nobody has said what the rows add up to. */
  finishImport(): void {
    assert(this.#expected !== null, "MvccStore.finishImport: no rebuild is under way");
    assert(!this.#damaged, "MvccStore.finishImport: the rows are damaged");
    this.#expected = null;
  }

  /** False: the rows are not those of the checkpoint. */
  finishRebuild(): boolean {
    const expected = this.#expected;
    assert(expected !== null, "MvccStore.finishRebuild: no rebuild is under way");
    this.#expected = null;
    return (
      !this.#damaged &&
      this.digest.low === expected.digestLow &&
      this.digest.high === expected.digestHigh &&
      this.keys === expected.keys &&
      this.leases.complete &&
      this.liveBytes === expected.liveBytes
    );
  }
}
