// Reads etcd's backend file: what its small buckets say, and its rows. Everything is checked on the first
// pass, before anybody writes a thing: pages, order, that each row is one of etcd's and is encoded as we
// would encode it, so that HashKV on both sides is over the same bytes.
import { BinaryReader } from "@bufbuild/protobuf/wire";
import { must } from "@quorate/base";
import type { HeldLease } from "@quorate/host";
import { decodeEtcdRow, decodeRevisionKey, etcdRowBytes, leaseTtlSecondsMax } from "@quorate/kv";
import type { ImportedAuth, Row } from "@quorate/kv";
import { BoltDamage, openBolt } from "../bolt/reader.ts";
import type { BoltCursor, BoltRow, BoltSource } from "../bolt/reader.ts";
import { BucketName, MetaKey } from "./names.ts";
import { readAuth } from "./read-auth.ts";
import { decodeAll, findRow } from "./small-rows.ts";

export interface Backend {
  /** Newest; 1 without any row. */
  readonly revision: number;
  /** -1: never compacted. */
  readonly compactRevision: number;
  readonly rows: number;
  readonly leases: readonly HeldLease[];
  readonly auth: ImportedAuth;
  /** Buckets that etcd 3.4 does not have. */
  readonly unknownBuckets: readonly string[];
}

/** All of the file is read. */
export function readBackend(source: BoltSource): Backend | BoltDamage {
  const buckets = bucketsOf(source);
  if (buckets instanceof BoltDamage) return buckets;
  const rows = walkRows(rowsOf(buckets));
  if (rows instanceof BoltDamage) return rows;
  const small = new Map<string, readonly BoltRow[]>();
  for (const [name, cursor] of buckets) {
    if (name === BucketName.Key) continue;
    const all = smallBucket(name, cursor);
    if (all instanceof BoltDamage) return all;
    small.set(name, all);
  }
  const compactRevision = compactRevisionOf(small.get(BucketName.Meta) ?? []);
  if (compactRevision instanceof BoltDamage) return compactRevision;
  const leases = decodeAll(small.get(BucketName.Lease), leaseOf);
  if (leases instanceof BoltDamage) return leases;
  const auth = readAuth(small);
  if (auth instanceof BoltDamage) return auth;
  const known = new Set<string>(Object.values(BucketName));
  return {
    revision: Math.max(1, rows.revision, compactRevision),
    compactRevision,
    rows: rows.count,
    leases,
    auth,
    unknownBuckets: [...buckets.keys()].filter((name) => !known.has(name)),
  };
}

/** The rows once more, of a file that has been read to its end. */
export function backendRows(source: BoltSource): BackendRows {
  const buckets = bucketsOf(source);
  return new BackendRows(buckets instanceof BoltDamage ? buckets : rowsOf(buckets));
}

/** Rows with their revision as their hlc, which etcd has none of. */
export class BackendRows {
  readonly #from: BoltCursor | BoltDamage;

  constructor(from: BoltCursor | BoltDamage) {
    this.#from = from;
  }

  next(): Row | BoltDamage | null {
    if (this.#from instanceof BoltDamage) return this.#from;
    const found = this.#from.next();
    if (found === null || found instanceof BoltDamage) return found;
    return rowOf(found);
  }
}

function bucketsOf(source: BoltSource): Map<string, BoltCursor> | BoltDamage {
  const reader = openBolt(source);
  return reader instanceof BoltDamage ? reader : reader.buckets();
}

function rowsOf(buckets: ReadonlyMap<string, BoltCursor>): BoltCursor | BoltDamage {
  const missing = [BucketName.Key, BucketName.Meta].find((name) => !buckets.has(name));
  if (missing !== undefined) return new BoltDamage(`no bucket "${missing}": not a file of etcd's`);
  return must(buckets.get(BucketName.Key), "it is there");
}

function walkRows(
  from: BoltCursor | BoltDamage,
): { readonly count: number; readonly revision: number } | BoltDamage {
  const rows = new BackendRows(from);
  let count = 0;
  let revision = 0;
  for (let row = rows.next(); row !== null; row = rows.next()) {
    if (row instanceof BoltDamage) return row;
    count += 1;
    revision = row.main;
  }
  return { count, revision };
}

function rowOf({ key, value, isBucket }: BoltRow): Row | BoltDamage {
  const revision = isBucket ? null : decodeRevisionKey(key);
  const where = `bucket "${BucketName.Key}"`;
  if (revision === null) {
    return new BoltDamage(`${where}: ${Buffer.from(key).toString("hex")} is no key of a row`);
  }
  const row = decodeEtcdRow(revision, value, revision.main);
  if (row === null) {
    return new BoltDamage(`${where}: revision ${revision.main}.${revision.sub} holds no row`);
  }
  if (etcdRowBytes(row) === value.length) return row;
  return new BoltDamage(
    `${where}: revision ${row.main}.${row.sub} holds more than a row of etcd 3.4 to 3.6 does`,
  );
}

function smallBucket(name: string, cursor: BoltCursor): readonly BoltRow[] | BoltDamage {
  const rows: BoltRow[] = [];
  for (let row = cursor.next(); row !== null; row = cursor.next()) {
    if (row instanceof BoltDamage) return row;
    if (row.isBucket) return new BoltDamage(`bucket "${name}": holds a bucket, as none of etcd's`);
    rows.push(row);
  }
  return rows;
}

/** The newer of two: a compaction that had not ended is ended here. */
function compactRevisionOf(meta: readonly BoltRow[]): number | BoltDamage {
  let newest = -1;
  for (const name of [MetaKey.FinishedCompactRevision, MetaKey.ScheduledCompactRevision]) {
    const row = findRow(meta, name);
    if (row === null) continue;
    const revision = decodeRevisionKey(row.value);
    if (revision === null) {
      return new BoltDamage(`bucket "${BucketName.Meta}": ${name} is not a revision`);
    }
    newest = Math.max(newest, revision.main);
  }
  return newest;
}

/** leasepb.Lease. */
function leaseOf({ key, value }: BoltRow): HeldLease | BoltDamage {
  let id = 0n;
  let ttl = 0n;
  let remaining = 0n;
  try {
    const reader = new BinaryReader(value);
    while (reader.pos < reader.len) {
      const [field, wireType] = reader.tag();
      if (field === 1) id = BigInt(reader.int64());
      else if (field === 2) ttl = BigInt(reader.int64());
      else if (field === 3) remaining = BigInt(reader.int64());
      else reader.skip(wireType, field);
    }
  } catch {
    return new BoltDamage(`bucket "${BucketName.Lease}": a lease that cannot be read`);
  }
  const fits = id !== 0n && ttl >= 1n && ttl <= BigInt(leaseTtlSecondsMax) && remaining >= 0n;
  const isNamed = key.length === 8 && Buffer.from(key).readBigInt64BE() === id;
  if (!fits || !isNamed || remaining > ttl) {
    return new BoltDamage(`bucket "${BucketName.Lease}": a lease that nobody can have granted`);
  }
  const bits = BigInt.asUintN(64, id);
  return {
    high: Number(bits >> 32n),
    low: Number(bits & 0xffffffffn),
    ttlSeconds: Number(ttl),
    remainingTtlSeconds: Number(remaining),
  };
}
