// What an MVCC row is, and what the state machine needs of whoever keeps rows. The row store
// (storage) implements RowStore; nothing here knows of files.

/** One version of one key. Immutable; written once, in revision order. */
export class Row {
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
