// What a member's storage must hold, said in the plainest way: every row that was ever made, by
// index, and which of them compaction needs. The rows of an index follow from the index alone, so
// that a replay makes the same ones.
import { assert, latin1Decode, latin1Encode } from "@quorate/base";
import { Row, TableRecord } from "@quorate/kv";

export interface TwinShape {
  readonly keys: number;
  readonly valueBytes: number;
}

const tableName = "twin";

/** Rows that the entry at `index` makes; its main revision is the index. */
export function rowsOf(index: number, shape: TwinShape): Row[] {
  const rows: Row[] = [];
  const count = index % 3 === 0 ? 2 : 1;
  for (let sub = 0; sub < count; sub++) {
    const tombstone = index % 11 === 0 && sub === 0;
    const key = `key ${(index * 5 + sub * 3) % shape.keys}`;
    const length = tombstone ? 0 : (index * 37 + sub) % (2 * shape.valueBytes);
    const value = `${index}.${sub}.`.padEnd(length, "x").slice(0, length);
    rows.push(
      new Row(
        index,
        sub,
        tombstone,
        tombstone ? 0 : 1 + (index % 7),
        index % 5,
        index % 2 === 0 ? 0xffff0000 + (index % 100) : 0,
        index,
        index * 1024 + sub,
        index % 256,
        2 ** 47 + index,
        latin1Encode(key),
        latin1Encode(value),
      ),
    );
  }
  return rows;
}

export function nameOf(row: { readonly main: number; readonly sub: number }): string {
  return `${row.main}.${row.sub}`;
}

/**
 * Rows up to `index` that must not be dropped when everything up to `compact` is compacted: what is
 * newer, and of each key the newest one at or below it unless that is a tombstone.
 */
export function neededRows(index: number, compact: number, shape: TwinShape): Map<string, Row> {
  const newest = new Map<string, Row>();
  const needed = new Map<string, Row>();
  for (let i = 1; i <= index; i++) {
    for (const row of rowsOf(i, shape)) {
      if (i > compact) needed.set(nameOf(row), row);
      else newest.set(latin1Decode(row.key), row);
    }
  }
  for (const row of newest.values()) {
    if (!row.tombstone) needed.set(nameOf(row), row);
  }
  return needed;
}

/** The tables of a checkpoint: the compaction revision that it was captured with. */
export function tablesOf(index: number, compact: number): TableRecord[] {
  return [new TableRecord(tableName, latin1Encode(`${index} ${compact}`))];
}

export function readTables(tables: readonly TableRecord[]): { index: number; compact: number } {
  assert(tables.length === 1 && tables[0]!.name === tableName, "the twin's table alone");
  const [index, compact] = latin1Decode(tables[0]!.bytes).split(" ").map(Number);
  return { index: index!, compact: compact! };
}

/** What differs between rows that are there and rows that may or must be; null: nothing. */
export function rowsDifference(
  found: readonly Row[],
  needed: ReadonlyMap<string, Row>,
  indexMax: number,
  shape: TwinShape,
): string | null {
  const seen = new Set<string>();
  let before: Row | null = null;
  for (const row of found) {
    const ascends =
      before === null ||
      row.main > before.main ||
      (row.main === before.main && row.sub > before.sub);
    if (!ascends) return `${nameOf(row)} after ${nameOf(before!)}`;
    before = row;
    if (row.main > indexMax) return `${nameOf(row)} is above ${indexMax}`;
    const made = rowsOf(row.main, shape)[row.sub];
    if (made === undefined || !sameRow(row, made)) return `${nameOf(row)} has another content`;
    seen.add(nameOf(row));
  }
  for (const name of needed.keys()) {
    if (!seen.has(name)) return `${name} is missing`;
  }
  return null;
}

export function sameRow(a: Row, b: Row): boolean {
  return (
    a.main === b.main &&
    a.sub === b.sub &&
    a.tombstone === b.tombstone &&
    a.createRevision === b.createRevision &&
    a.version === b.version &&
    a.leaseHigh === b.leaseHigh &&
    a.leaseLow === b.leaseLow &&
    a.hlc === b.hlc &&
    a.origin === b.origin &&
    a.originSequence === b.originSequence &&
    latin1Decode(a.key) === latin1Decode(b.key) &&
    latin1Decode(a.value) === latin1Decode(b.value)
  );
}
