// The digest over the newest live row of each key: a set hash in two lanes, so that adding and
// removing a row are constant time and the order does not matter. Equal live rows, equal digest,
// whatever history led there and whatever of it was compacted.
import type { Hasher } from "../digest.ts";
import type { Row, RowHead, ScannedRow } from "../rows.ts";

const PURPOSE_ROW = 1;

/** Hashes a row with everything it says; `low` and `high` of the hasher hold the result. */
export function hashRow(hasher: Hasher, row: Row): void {
  hashHead(hasher, row);
  hasher.bytes(row.key);
  hasher.bytes(row.value);
  hasher.finish();
}

/** As `hashRow`, of a row that a scan shows. */
export function hashScanned(hasher: Hasher, row: ScannedRow): void {
  hashHead(hasher, row);
  hasher.bytes(row.block, row.keyAt, row.valueAt);
  hasher.bytes(row.block, row.valueAt, row.end);
  hasher.finish();
}

function hashHead(hasher: Hasher, row: RowHead): void {
  hasher.reset(PURPOSE_ROW);
  hasher.number(row.main);
  hasher.word(row.sub);
  hasher.number(row.createRevision);
  hasher.number(row.version);
  hasher.word(row.leaseHigh);
  hasher.word(row.leaseLow);
  hasher.number(row.hlc);
  hasher.word(row.origin);
  hasher.number(row.originSequence);
}

export class LiveDigest {
  low: number;
  high: number;

  constructor() {
    this.low = 0;
    this.high = 0;
  }

  clear(): void {
    this.low = 0;
    this.high = 0;
  }

  // One lane adds, one is exclusive or: a pair of errors that cancels in one does not in the other.
  add(low: number, high: number): void {
    this.low = (this.low + low) >>> 0;
    this.high = (this.high ^ high) >>> 0;
  }

  remove(low: number, high: number): void {
    this.low = (this.low - low) >>> 0;
    this.high = (this.high ^ high) >>> 0;
  }
}
