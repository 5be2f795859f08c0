// Rows go out as etcd's backend file and come back in as a data directory: the same rows, in segments and
// checkpoints as small as they can be. Method: a state machine after random writes and compactions, its
// rows by their own rules; and what no writes can have made is refused.
import { deepEqual, equal, match, ok } from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { concatBytes, latin1Decode, latin1Encode, must, Prng } from "@quorate/base";
import { writeImported } from "@quorate/host";
import type { HeldState, Import } from "@quorate/host";
import {
  CompactionRequest,
  DeleteRangeRequest,
  encodeCompactionRequest,
  encodeDeleteRangeRequest,
  encodePutRequest,
  encodeTxnRequest,
  KvState,
  OperationKind,
  PutRequest,
  stateNumbersOf,
  TxnRequest,
} from "@quorate/kv";
import type { ClientOperationKind, Row } from "@quorate/kv";
import { MemoryRows } from "@quorate/kv/internal";
import {
  inspectCheckpoint,
  inspectDirectory,
  inspectRows,
  RowsDamaged,
  storageDefaults,
} from "@quorate/storage";
import type { Refusal } from "@quorate/storage";
import { BoltDamage } from "../bolt/reader.ts";
import { CountingSource, writeFile } from "../bolt/testing/bolt-files.ts";
import { NodeDisk } from "../env/node-disk.ts";
import { offlineEnv } from "../env/offline-env.ts";
import { makeLogger } from "../logger.ts";
import { backendRows, readBackend } from "./read-backend.ts";
import { SnapshotBody } from "./snapshot-body.ts";

const options = { ...storageDefaults, rowSegmentBytes: 8192, unsavedRowBytesMax: 16_384 };

class State {
  readonly rows: MemoryRows;
  readonly kv: KvState;
  #index: number;

  constructor() {
    this.rows = new MemoryRows();
    this.kv = new KvState({
      rows: this.rows,
      clusterId: 1n,
      memberId: 1n,
      txnOpsMax: 10,
      rangeBytesMax: 1 << 20,
    });
    this.#index = 0;
  }

  apply(kind: ClientOperationKind, request: Uint8Array): void {
    this.#index += 1;
    const payload = this.kv.envelope("", 0, request);
    const entry = { kind, level: 1, index: this.#index, term: 1, wallMs: this.#index, payload };
    this.kv.apply(entry, false, 1);
    while (!this.kv.compactStep(100)) {
      // Again.
    }
  }

  put(key: string, value: string): PutRequest {
    return new PutRequest({ key: latin1Encode(key), value: latin1Encode(value) });
  }

  randomWrites(random: Prng, count: number): void {
    const key = (): string => `key ${random.below(60)}`;
    for (let n = 0; n < count; n++) {
      const value = "v".repeat(random.below(200));
      const drawn = random.below(10);
      if (drawn < 6) this.apply(OperationKind.Put, encodePutRequest(this.put(key(), value)));
      else if (drawn < 8) {
        const rangeEnd = latin1Encode(random.below(3) > 0 ? "" : "key 3");
        const request = new DeleteRangeRequest({ key: latin1Encode(key()), rangeEnd });
        this.apply(OperationKind.DeleteRange, encodeDeleteRangeRequest(request));
      } else {
        const success = [this.put(`${key()}a`, value), this.put(`${key()}b`, value)];
        this.apply(OperationKind.Txn, encodeTxnRequest(new TxnRequest({ success })));
      }
      if (random.below(40) === 0) this.compact(random.below(this.kv.revision + 1));
    }
  }

  compact(revision: number): void {
    if (revision <= this.kv.compactRevision) return;
    const request = encodeCompactionRequest(new CompactionRequest({ revision }));
    this.apply(OperationKind.Compact, request);
  }

  /** By the rule of held-state-api.ts. */
  held(): HeldState {
    const { kv, rows } = this;
    const { revision, compactRevision } = kv;
    const kept: Row[] = [];
    for (const [row, ref] of rows.stored()) {
      const isGone = rows.deadRefs.has(ref) || (row.tombstone && row.main <= compactRevision);
      if (!isGone) kept.push(row);
    }
    return {
      index: this.#index,
      revision,
      compactRevision,
      alarms: [],
      members: [],
      removedMembers: [],
      leases: [{ high: 1, low: 2, ttlSeconds: 60, remainingTtlSeconds: 7 }],
      auth: someAuth,
      walkRows: () => {
        let at = 0;
        return { next: () => kept[at++] ?? null };
      },
      release: () => undefined,
    };
  }
}

const noBytes = new Uint8Array(0);

const someAuth: HeldState["auth"] = {
  enabled: true,
  revision: 9,
  users: [
    { name: "root", passwordHash: latin1Encode("$2a$10$"), roles: ["root"], noPassword: false },
    { name: "ü", passwordHash: noBytes, roles: ["a", "b"], noPassword: true },
  ],
  roles: [
    {
      name: "a",
      permissions: [
        { type: 2, key: Uint8Array.of(255), rangeEnd: Uint8Array.of(0) },
        { type: 0, key: latin1Encode("k"), rangeEnd: noBytes },
      ],
    },
    { name: "root", permissions: [] },
  ],
};

function fileOf(held: HeldState, pieceBytes: number): CountingSource {
  const body = new SnapshotBody(held, pieceBytes);
  while (body.measure(1000) !== true) {
    // Again.
  }
  const pieces: Uint8Array[] = [];
  for (let piece = body.next(); piece !== null; piece = body.next()) {
    ok(!(piece instanceof RowsDamaged));
    pieces.push(piece);
  }
  for (const piece of pieces.slice(0, -1)) equal(piece.length, pieceBytes);
  const bytes = concatBytes(pieces);
  equal(bytes.length, body.bytes, "as long as was measured");
  return new CountingSource(bytes);
}

function importOf(source: CountingSource, directory: string): Import {
  const numbers = readBackend(source);
  ok(!(numbers instanceof BoltDamage));
  return {
    clusterId: "00000000000000c1",
    members: [
      {
        memberId: "00000000000000a1",
        name: "m1",
        peerUrls: ["http://127.0.0.1:1"],
        directory,
        walDirectory: null,
      },
    ],
    numbers,
    rows: () => {
      const rows = backendRows(source);
      return {
        next: () => {
          const row = rows.next();
          return row instanceof BoltDamage ? row.what : row;
        },
      };
    },
  };
}

function write(from: Import): Promise<Refusal | null> {
  const fatal = (_: number, reason: string): never => {
    throw new Error(reason);
  };
  const env = offlineEnv(makeLogger("test", "error", "text"), fatal, new NodeDisk());
  return new Promise((resolve) => writeImported(env, from, resolve, options));
}

async function inFolder(use: (folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "quorate-round-trip-"));
  try {
    await use(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** What of a row etcd has. */
function plain(row: Row): unknown {
  const { main, sub, tombstone, createRevision, version, leaseHigh, leaseLow, key, value } = row;
  const texts = [latin1Decode(key), latin1Decode(value)];
  return [main, sub, tombstone, createRevision, version, leaseHigh, leaseLow, ...texts];
}

function rowsOf(held: HeldState): Row[] {
  const rows: Row[] = [];
  const walk = held.walkRows();
  for (let row = walk.next(); row !== null; row = walk.next()) rows.push(row as Row);
  return rows;
}

test("random states come back row for row", async () => {
  for (let n = 0; n < 6; n++) {
    await inFolder(async (folder) => {
      const random = new Prng(`round trip ${n}`);
      const state = new State();
      state.randomWrites(random, random.below(n === 0 ? 1 : 500));
      const held = state.held();
      const source = fileOf(held, 1000 + random.below(40_000));
      const directory = join(folder, "m1");
      equal(await write(importOf(source, directory)), null);
      const inspected = inspectDirectory(new NodeDisk(), directory, directory);
      ok(inspected.ok);
      deepEqual(inspected.findings, []);
      const found: unknown[] = [];
      for (const { finding } of inspectRows(inspected, (row) => found.push(plain(row)))) {
        equal(finding, null);
      }
      deepEqual(found, rowsOf(held).map(plain));
      const { tables } = inspectCheckpoint(inspected);
      const numbers = stateNumbersOf(must(tables, "a checkpoint").info.tables);
      equal(numbers?.revision, held.revision);
      equal(numbers?.keys, state.kv.keys);
    });
  }
});

test("leases, users, roles and rights come back as they were", () => {
  const found = readBackend(fileOf(new State().held(), 4096));
  ok(!(found instanceof BoltDamage));
  deepEqual(found.leases, [{ high: 1, low: 2, ttlSeconds: 60, remainingTtlSeconds: 7 }]);
  deepEqual(found.auth, {
    enabled: true,
    revision: 9,
    users: [
      { name: "root", passwordHash: "$2a$10$", roles: ["root"], noPassword: false },
      { name: "ü", passwordHash: "", roles: ["a", "b"], noPassword: true },
    ],
    roles: [
      {
        name: "a",
        permissions: [
          { type: 2, key: "\xff", rangeEnd: "\0" },
          { type: 0, key: "k", rangeEnd: "" },
        ],
      },
      { name: "root", permissions: [] },
    ],
  });
});

test("small buckets whose rows are not etcd's are refused", () => {
  const key = latin1Encode("x");
  const rows: readonly (readonly [string, Uint8Array, Uint8Array, RegExp])[] = [
    ["lease", new Uint8Array(8), noBytes, /^bucket "lease": a lease that nobody can have granted$/],
    ["lease", key, Uint8Array.of(8), /^bucket "lease": a lease that cannot be read$/],
    // Granted for a second, under another id than its key's.
    [
      "lease",
      new Uint8Array(8),
      Uint8Array.of(8, 7, 16, 1),
      /a lease that nobody can have granted$/,
    ],
    ["authUsers", key, Uint8Array.of(10, 1, 0x79), /^bucket "authUsers": a user that cannot/],
    ["authUsers", key, Uint8Array.of(10), /^bucket "authUsers": a user that cannot be read$/],
    ["authRoles", key, Uint8Array.of(10, 1, 0x79), /^bucket "authRoles": a role that cannot/],
    ["authRoles", key, Uint8Array.of(10, 1, 0x78, 18, 2, 8, 9), /: a role that cannot be read$/],
    ["auth", latin1Encode("authRevision"), key, /^bucket "auth": authRevision is no number$/],
    ["meta", latin1Encode("finishedCompactRev"), key, /: finishedCompactRev is not a revision$/],
  ];
  for (const [name, rowKey, value, what] of rows) {
    const buckets = [
      { name: "key", entries: [] },
      { name: "meta", entries: [] },
    ].filter((bucket) => bucket.name !== name);
    const file = writeFile([...buckets, { name, entries: [[rowKey, value]] }]);
    const found = readBackend(new CountingSource(file));
    ok(found instanceof BoltDamage, `${name}: ${what}`);
    match(found.what, what);
  }
  const other = readBackend(new CountingSource(writeFile([{ name: "key", entries: [] }])));
  ok(other instanceof BoltDamage);
  match(other.what, /^no bucket "meta": not a file of etcd's$/);
});

test("rows that no writes can have made are refused", async () => {
  const state = new State();
  for (const value of ["1", "2", "3"]) {
    state.apply(OperationKind.Put, encodePutRequest(state.put("k", value)));
  }
  const held = state.held();
  const rows = rowsOf(held);
  const forged = { ...held, walkRows: () => walkOf([rows[0]!, rows[2]!]) };
  await inFolder(async (folder) => {
    const refused = await write(importOf(fileOf(forged, 4096), join(folder, "m1")));
    equal(refused?.exitCode, 72);
    match(refused?.reason ?? "", /^revision 4\.0: no write can have made this row/);
  });
  // Below the compaction revision they may be missing.
  const compacted = { ...forged, compactRevision: 4 };
  await inFolder(async (folder) => {
    equal(await write(importOf(fileOf(compacted, 4096), join(folder, "m1"))), null);
  });
});

function walkOf(rows: readonly Row[]): { next(): Row | null } {
  let at = 0;
  return { next: () => rows[at++] ?? null };
}
