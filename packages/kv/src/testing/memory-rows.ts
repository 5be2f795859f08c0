// A RowStore in memory, for tests: keeps rows in an array, checks what the contract asks of its
// caller, and reclaims dead rows on demand, in "segments" as storage does.
import { assert, concatBytes } from "@quorate/base";
import { Row, ScannedRow } from "../rows.ts";
import type { RowCursor, RowRef, RowStore } from "../rows.ts";

export class MemoryRows implements RowStore {
  /** By ref; null: reclaimed. */
  readonly #rows: (Row | null)[];
  readonly #dead: Set<RowRef>;
  readonly segmentRows: number;

  constructor(segmentRows: number = 8) {
    this.#rows = [];
    this.#dead = new Set();
    this.segmentRows = segmentRows;
  }

  append(row: Row): RowRef {
    const last = this.#rows.findLast((other) => other !== null);
    if (last) {
      assert(
        row.main > last.main || (row.main === last.main && row.sub > last.sub),
        "MemoryRows: revisions do not ascend",
      );
    }
    // A copy: the bytes may be views of a buffer that its owner uses again.
    this.#rows.push(copyOf(row));
    return this.#rows.length - 1;
  }

  dead(ref: RowRef): void {
    assert(!this.#dead.has(ref), "MemoryRows: reported dead twice");
    assert(this.#rows[ref] !== undefined, "MemoryRows: an unknown row is dead");
    this.#dead.add(ref);
  }

  read(ref: RowRef): Row {
    assert(!this.#dead.has(ref), "MemoryRows: a dead row is read");
    const row = this.#rows[ref];
    assert(row, "MemoryRows: no such row");
    return row;
  }

  cursorFrom(main: number): RowCursor {
    let at = -1;
    return {
      next: () => {
        for (at++; at < this.#rows.length; at++) {
          const row = this.#rows[at]!;
          if (row !== null && row.main >= main) return row;
        }
        return null;
      },
      ref: () => at,
    };
  }

  get deadRefs(): ReadonlySet<RowRef> {
    return this.#dead;
  }

  get count(): number {
    return this.#rows.length;
  }

  /** Rows not reclaimed, in order, with their refs. */
  *stored(): Generator<[Row, RowRef]> {
    for (let ref = 0; ref < this.#rows.length; ref++) {
      const row = this.#rows[ref]!;
      if (row !== null) yield [row, ref];
    }
  }

  /** Rewrites one segment without its dead rows. */
  reclaim(segment: number): void {
    const from = segment * this.segmentRows;
    for (let ref = from; ref < Math.min(from + this.segmentRows, this.#rows.length); ref++) {
      if (this.#dead.has(ref)) this.#rows[ref] = null;
    }
  }

  /** What a restart leaves: the rows, and no knowledge of which are dead. */
  reopened(): MemoryRows {
    const rows = new MemoryRows(this.segmentRows);
    for (const row of this.#rows) rows.#rows.push(row);
    return rows;
  }
}

/** The row as a scan of a store on disk shows it: in the middle of a block. */
export function scannedOf(row: Row): ScannedRow {
  const scanned = Object.assign(new ScannedRow(), row);
  const { key, value } = row;
  scanned.block = concatBytes([oneByte, key, value, oneByte]);
  scanned.keyAt = 1;
  scanned.valueAt = 1 + key.length;
  scanned.end = 1 + key.length + value.length;
  return scanned;
}

const oneByte = new Uint8Array([0xa5]);

function copyOf(row: Row): Row {
  return new Row(
    row.main,
    row.sub,
    row.tombstone,
    row.createRevision,
    row.version,
    row.leaseHigh,
    row.leaseLow,
    row.hlc,
    row.origin,
    row.originSequence,
    row.key.slice(),
    row.value.slice(),
  );
}
