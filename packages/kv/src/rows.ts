// What an MVCC row is, and what the state machine needs of whoever keeps rows. The row store
// (storage) implements RowStore; nothing here knows of files.
import { emptyBytes } from "@quorate/base";

/** What a row says beside its key and value. */
export interface RowHead {
  readonly main: number;
  readonly sub: number;
  readonly tombstone: boolean;
  readonly createRevision: number;
  readonly version: number;
  readonly leaseHigh: number;
  readonly leaseLow: number;
  readonly hlc: number;
  readonly origin: number;
  readonly originSequence: number;
}

/** One version of one key. Immutable; written once, in revision order. */
export class Row implements RowHead {
  readonly main: number;
  readonly sub: number;
  readonly tombstone: boolean;
  readonly createRevision: number;
  readonly version: number;
  /** Lease id, two unsigned 32-bit halves; 0/0: none. */
  readonly leaseHigh: number;
  readonly leaseLow: number;
  /** Hybrid clock, 53 bits: wallMs × 1024 + counter (DESIGN.md 12, P11). */
  readonly hlc: number;
  /** Region where the write was born, 8 bits; 0: this cluster. */
  readonly origin: number;
  /** Number of the write at its origin, 48 bits; 0: this cluster. */
  readonly originSequence: number;
  readonly key: Uint8Array;
  readonly value: Uint8Array;

  constructor(
    main: number,
    sub: number,
    tombstone: boolean,
    createRevision: number,
    version: number,
    leaseHigh: number,
    leaseLow: number,
    hlc: number,
    origin: number,
    originSequence: number,
    key: Uint8Array,
    value: Uint8Array,
  ) {
    this.main = main;
    this.sub = sub;
    this.tombstone = tombstone;
    this.createRevision = createRevision;
    this.version = version;
    this.leaseHigh = leaseHigh;
    this.leaseLow = leaseLow;
    this.hlc = hlc;
    this.origin = origin;
    this.originSequence = originSequence;
    this.key = key;
    this.value = value;
  }
}

/**
 * A row as a scan shows it: one object and one block for all rows, because an object and two views a
 * row cost more than checking it. Valid until the next row is shown; `toRow` copies.
 */
export class ScannedRow implements RowHead {
  main: number;
  sub: number;
  tombstone: boolean;
  createRevision: number;
  version: number;
  leaseHigh: number;
  leaseLow: number;
  hlc: number;
  origin: number;
  originSequence: number;
  /** The key is [keyAt, valueAt) of `block`, the value [valueAt, end). */
  block: Uint8Array;
  keyAt: number;
  valueAt: number;
  end: number;

  constructor() {
    this.main = 0;
    this.sub = 0;
    this.tombstone = false;
    this.createRevision = 0;
    this.version = 0;
    this.leaseHigh = 0;
    this.leaseLow = 0;
    this.hlc = 0;
    this.origin = 0;
    this.originSequence = 0;
    this.block = emptyBytes;
    this.keyAt = 0;
    this.valueAt = 0;
    this.end = 0;
  }

  toRow(): Row {
    return new Row(
      this.main,
      this.sub,
      this.tombstone,
      this.createRevision,
      this.version,
      this.leaseHigh,
      this.leaseLow,
      this.hlc,
      this.origin,
      this.originSequence,
      this.block.slice(this.keyAt, this.valueAt),
      this.block.slice(this.valueAt, this.end),
    );
  }
}

/**
 * Where a row lives, as the store numbers it: opaque, a safe integer, valid until the process ends
 * (rewriting a segment does not change it). Refs grow with revisions.
 */
export type RowRef = number;

export interface RowReader {
  /** The row; damage on disk ends the process (exit 72) and never returns. */
  read(ref: RowRef): Row;
  /** Rows with main ≥ `main`, ascending, not yet reclaimed ones included; see RowCursor. */
  cursorFrom(main: number): RowCursor;
}

export interface RowCursor {
  /** The next row, or null at the end. Rows appended meanwhile are seen. */
  next(): Row | null;
  ref(): RowRef;
}

export interface RowStore extends RowReader {
  /**
   * Keeps the row in memory until a checkpoint writes it. Main and sub must ascend. `key` and
   * `value` may be views of the entry's payload: never changed, but part of a larger buffer.
   * Refs are never negative.
   */
  append(row: Row): RowRef;
  /**
   * No reader can reach this row any more (compacted away); its bytes may be reclaimed, in any
   * order. Called at most once a row in the life of a process; again after a restart, for dead rows
   * that the scan met. A tombstone is reported only by a scan that met nothing in front of it that
   * it deletes: had an older row of its key outlived it, the next scan would take that for live.
   */
  dead(ref: RowRef): void;
}
