// Rows of the small buckets of etcd's backend: looked up by name, and decoded one by one.
import { equalBytes, utf8Encode } from "@quorate/base";
import { BoltDamage } from "../bolt/reader.ts";
import type { BoltRow } from "../bolt/reader.ts";

export function findRow(rows: readonly BoltRow[], name: string): BoltRow | null {
  const key = utf8Encode(name);
  return rows.find((row) => equalBytes(row.key, key)) ?? null;
}

/** All of them, or what is wrong with the first that cannot be read. Of no bucket: none. */
export function decodeAll<Decoded extends object>(
  rows: readonly BoltRow[] | undefined,
  decode: (row: BoltRow) => Decoded | BoltDamage,
): Decoded[] | BoltDamage {
  const all: Decoded[] = [];
  for (const row of rows ?? []) {
    const decoded = decode(row);
    if (decoded instanceof BoltDamage) return decoded;
    all.push(decoded);
  }
  return all;
}
