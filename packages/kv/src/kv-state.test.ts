// What the histories of the property tests do not say by name: clocks, tables, damage found by a
// rebuild, answers that are too large, refusals that leave no trace, hashing across a rebuild.
import { deepEqual, equal, notDeepEqual, ok, throws } from "node:assert/strict";
import { test } from "node:test";
import { AssertionError, latin1Decode, latin1Encode } from "@quorate/base";
import type { HashKvTask } from "./kv-api.ts";
import { KvError } from "./kv-error.ts";
import { KvState } from "./kv-state.ts";
import { OperationKind } from "./operation.ts";
import { Row } from "./rows.ts";
import { rangeIsSerializable, txnIsSerializable } from "./serializable.ts";
import { TableRecord } from "./table.ts";
import type { ReplicatedTable } from "./table.ts";
import { Member } from "./test/member.ts";
import { Request } from "./test/requests.ts";
import { MemoryRows, scannedOf } from "./testing/memory-rows.ts";
import { decodeRangeResponse, decodeTxnResponse } from "./wire/decode-response.ts";
import { encodeRangeRequest, encodeTxnRequest } from "./wire/encode-request.ts";
import {
  CompactionRequest,
  DeleteRangeRequest,
  PutRequest,
  RangeRequest,
  TxnRequest,
} from "./wire/request.ts";

const b = latin1Encode;
const options = { clusterId: 1n, memberId: 2n, txnOpsMax: 128, rangeBytesMax: 1000 };

const put = (key: string, value = "v"): Request =>
  new Request(OperationKind.Put, new PutRequest({ key: b(key), value: b(value) }));
const del = (key: string, end = "", prevKv = false): Request =>
  new Request(
    OperationKind.DeleteRange,
    new DeleteRangeRequest({ key: b(key), rangeEnd: b(end), prevKv }),
  );
const txn = (...success: TxnRequest["success"]): Request =>
  new Request(OperationKind.Txn, new TxnRequest({ success }));
const compact = (revision: number): Request =>
  new Request(OperationKind.Compact, new CompactionRequest({ revision }));

/** A member with three revisions behind it, and its rows. */
function used(): { readonly member: Member; readonly rows: MemoryRows } {
  const rows = new MemoryRows();
  const member = new Member(rows);
  for (const request of [put("a"), put("b", "w"), put("a", "x")]) {
    equal(member.handle(request).error, KvError.None);
  }
  return { member, rows };
}

function rebuild(rows: Iterable<Row>, tables: readonly TableRecord[]): boolean {
  const store = new MemoryRows();
  // The rows come from elsewhere: which of them are dead is not looked at.
  store.dead = () => {};
  const kv = new KvState({ rows: store, ...options });
  ok(kv.beginRebuild(tables));
  let ref = 0;
  for (const row of rows) kv.rebuildRow(scannedOf(row), ref++);
  return kv.finishRebuild();
}

const storedRows = (rows: MemoryRows): Row[] => [...rows.stored()].map(([row]) => row);

/** A copy with other fields. */
function changed(row: Row, fields: Partial<Row>): Row {
  const f = { ...row, ...fields };
  return new Row(
    f.main,
    f.sub,
    f.tombstone,
    f.createRevision,
    f.version,
    f.leaseHigh,
    f.leaseLow,
    f.hlc,
    f.origin,
    f.originSequence,
    f.key,
    f.value,
  );
}

// ---- Clock ----------------------------------------------------------------------------------------

test("hlc is the entry's wall clock, always above the last one's, one for all of a revision", () => {
  const rows = new MemoryRows();
  const { kv } = new Member(rows);
  let index = 0;
  const at = (wallMs: number, { kind, bytes }: Request): void => {
    const payload = kv.envelope("", 0, bytes);
    kv.apply(
      { kind: kind as OperationKind, level: 1, index: ++index, term: 1, wallMs, payload },
      false,
      1,
    );
  };
  at(1000, put("a"));
  at(1000, put("a"));
  at(900, put("a"));
  // What writes nothing takes no tick.
  at(5000, del("nothing"));
  at(1000, txn(new PutRequest({ key: b("b") }), new PutRequest({ key: b("c") })));
  at(2000, del("a", "z"));
  deepEqual(
    storedRows(rows).map(({ main, sub, hlc }) => [main, sub, hlc - 1_024_000]),
    [
      [2, 0, 0],
      [3, 0, 1],
      [4, 0, 2],
      [5, 0, 3],
      [5, 1, 3],
      [6, 0, 1_024_000],
      [6, 1, 1_024_000],
      [6, 2, 1_024_000],
    ],
  );
});

test("the clock goes on from the checkpoint, not from the rows that are left", () => {
  const { member, rows } = used();
  const before = storedRows(rows).at(-1)!.hlc;
  const restarted = new Member(rows.reopened());
  ok(restarted.kv.beginRebuild(member.kv.tables()));
  for (const [row, ref] of rows.stored()) restarted.kv.rebuildRow(scannedOf(row), ref);
  ok(restarted.kv.finishRebuild());
  deepEqual(restarted.kv.tables(), member.kv.tables());
  restarted.index = member.index;
  restarted.wallMs = 0;
  restarted.handle(put("a"));
  member.wallMs = 0;
  member.handle(put("a"));
  deepEqual(restarted.kv.liveDigest(), member.kv.liveDigest());
  equal(storedRows(rows).at(-1)!.hlc, before + 1);
});

// ---- Tables ---------------------------------------------------------------------------------------

class Names implements ReplicatedTable {
  readonly name: string;
  text: string;

  constructor(name: string) {
    this.name = name;
    this.text = "";
  }

  digest(): { readonly low: number; readonly high: number } {
    return { low: this.text.length, high: this.text.charCodeAt(0) || 0 };
  }

  snapshot(): Uint8Array {
    return b(this.text);
  }

  restore(bytes: Uint8Array): boolean {
    this.text = latin1Decode(bytes);
    return this.text !== "broken";
  }

  clear(): void {
    this.text = "";
  }
}

test("registered tables are in the checkpoint and in the digest, in their order", () => {
  const { member } = used();
  const { kv } = new Member(new MemoryRows());
  const [one, two] = [new Names("one"), new Names("two")];
  kv.register(one);
  kv.register(two);
  throws(() => kv.register(new Names("two")), AssertionError);
  throws(() => kv.register(new Names("kv")), AssertionError);
  throws(() => member.kv.register(new Names("late")), AssertionError);

  const empty = kv.liveDigest();
  one.text = "x";
  const first = kv.liveDigest();
  one.text = "";
  two.text = "x";
  const second = kv.liveDigest();
  equal(new Set([empty, first, second].map((digest) => JSON.stringify(digest))).size, 3);
  const tables = kv.tables();
  deepEqual(
    tables.map(({ name }) => name),
    ["kv", "alarms", "leases", "auth", "downgrade", "one", "two"],
  );

  const again = new Member(new MemoryRows()).kv;
  const [oneAgain, twoAgain] = [new Names("one"), new Names("two")];
  again.register(oneAgain);
  again.register(twoAgain);
  oneAgain.text = "of before";
  ok(again.beginRebuild(tables));
  ok(again.finishRebuild());
  deepEqual([oneAgain.text, twoAgain.text], ["", "x"]);
  deepEqual(again.liveDigest(), second);
});

test("a checkpoint with tables that this member cannot take over is refused", () => {
  const source = new Member(new MemoryRows()).kv;
  source.register(new Names("one"));
  const tables = source.tables();
  const begins = (records: readonly TableRecord[], known: readonly string[] = ["one"]): boolean => {
    const { kv } = new Member(new MemoryRows());
    for (const name of known) kv.register(new Names(name));
    return kv.beginRebuild(records);
  };
  const [own, one] = tables as [TableRecord, TableRecord];
  ok(begins(tables));
  ok(!begins(tables, []), "a table that nobody knows");
  ok(!begins([one]), "no record of the state machine");
  ok(!begins([own, new TableRecord("one", b("broken"))]), "no snapshot of that table");
  ok(!begins([own, new TableRecord("one", b("other"))]), "not the content of the digest");
  ok(!begins([new TableRecord("kv", own.bytes.slice(1)), one]), "no such record");
  ok(!begins([new TableRecord("kv", Uint8Array.of(...own.bytes, 0)), one]), "too long");
  ok(
    !begins([
      new TableRecord(
        "kv",
        own.bytes.map((x, i) => (i === 0 ? 2 : x)),
      ),
      one,
    ]),
    "format",
  );
});

test("without records a rebuild is the state before the first entry", () => {
  const { member } = used();
  const fresh = new Member(new MemoryRows()).kv;
  ok(member.kv.beginRebuild([]));
  ok(member.kv.finishRebuild());
  deepEqual(member.kv.tables(), fresh.tables());
  deepEqual([member.kv.revision, member.kv.compactRevision, member.kv.keys], [1, -1, 0]);
});

// ---- Damage found by a rebuild ----------------------------------------------------------------------

test("rows that are not the checkpoint's are found, whatever is wrong with them", () => {
  const { member, rows } = used();
  member.handle(put("c"));
  member.handle(del("c"));
  const tables = member.kv.tables();
  const good = storedRows(rows);
  ok(rebuild(good, tables));
  const bad = (at: number, fields: Partial<Row>): Row[] =>
    good.map((row, i) => (i === at ? changed(row, fields) : row));
  const damages: readonly (readonly [string, readonly Row[]])[] = [
    ["no rows", []],
    ["the newest missing", good.slice(0, -1)],
    ["the oldest missing", good.slice(1)],
    ["a superseded one missing", good.filter((_, i) => i !== 0)],
    ["a tombstone missing", good.filter(({ tombstone }) => !tombstone)],
    ["one twice", [...good.slice(0, 2), ...good.slice(1)]],
    ["two exchanged", [good[1]!, good[0]!, ...good.slice(2)]],
    ["a live value", bad(1, { value: b("W") })],
    ["a live key", bad(1, { key: b("bb") })],
    ["a version", bad(2, { version: 3 })],
    ["a version of a superseded row", bad(0, { version: 2 })],
    ["a create revision", bad(2, { createRevision: 3 })],
    ["a lease", bad(1, { leaseLow: 1 })],
    ["an hlc", bad(1, { hlc: 1 })],
    ["an hlc of the future", bad(1, { hlc: 2 ** 52 })],
    ["an origin", bad(1, { origin: 1 })],
    ["a put made a tombstone", bad(1, { tombstone: true })],
    ["a row above the revision", [...good, changed(good[1]!, { main: 99, sub: 0 })]],
  ];
  for (const [what, damaged] of damages) ok(!rebuild(damaged, tables), what);
});

test("a value of a superseded row is not the live digest's business, but its segment's CRC's", () => {
  const { member, rows } = used();
  const good = storedRows(rows);
  ok(rebuild([changed(good[0]!, { value: b("other") }), ...good.slice(1)], member.kv.tables()));
});

// Segments are rewritten in any order: had the tombstone gone before the row that it deleted, the
// next scan would find that row and nothing against it.
test("a tombstone is reported dead only by a scan that finds nothing in front for it to delete", () => {
  const rows = new MemoryRows(1);
  const member = new Member(rows);
  for (const request of [put("a"), del("a"), put("b"), compact(4)]) member.handle(request);
  ok(member.kv.compactStep(10));
  deepEqual([...rows.deadRefs], [0]);
  const tables = member.kv.tables();
  ok(
    !rebuild(
      storedRows(rows).filter(({ tombstone }) => !tombstone),
      tables,
    ),
  );
  const restart = (from: MemoryRows): MemoryRows => {
    const reopened = from.reopened();
    const { kv } = new Member(reopened);
    ok(kv.beginRebuild(tables));
    for (const [row, ref] of reopened.stored()) kv.rebuildRow(scannedOf(row), ref);
    ok(kv.finishRebuild());
    return reopened;
  };
  rows.reclaim(1);
  const first = restart(rows);
  deepEqual([...first.deadRefs], [0]);
  first.reclaim(0);
  const second = restart(first);
  deepEqual([...second.deadRefs], [1]);
  second.reclaim(1);
  equal(storedRows(restart(second)).length, 1);
});

// ---- Refusals and large answers ---------------------------------------------------------------------

test("T5 a transaction that is refused leaves nothing but its place in the apply digest", () => {
  const good = new PutRequest({ key: b("n"), value: b("n") });
  const refusals: readonly (readonly [Request, KvError])[] = [
    [txn(good, new PutRequest({ key: b("absent"), ignoreValue: true })), KvError.KeyNotFound],
    [txn(good, new PutRequest({ key: b("a"), leaseLow: 5 })), KvError.LeaseNotFound],
    [txn(good, new RangeRequest({ key: b("a"), revision: 99 })), KvError.FutureRevision],
    [txn(good, new RangeRequest({ key: b("a"), revision: 2 })), KvError.Compacted],
    [
      // etcd's members would end here, one after the other.
      txn(
        new DeleteRangeRequest({ key: b("a"), rangeEnd: b("\0") }),
        new PutRequest({ key: b("b"), ignoreValue: true }),
      ),
      KvError.KeyNotFound,
    ],
    [
      new Request(OperationKind.Put, new PutRequest({ key: b("a"), leaseLow: 5 })),
      KvError.LeaseNotFound,
    ],
    [compact(99), KvError.FutureRevision],
    [compact(3), KvError.Compacted],
  ];
  for (const [request, error] of refusals) {
    const { member, rows } = used();
    member.handle(compact(3));
    const state = [member.kv.liveDigest(), member.kv.revision, rows.count, member.kv.puts];
    const chain = member.kv.applyDigest();
    equal(member.handle(request).error, error, String(request));
    deepEqual([member.kv.liveDigest(), member.kv.revision, rows.count, member.kv.puts], state);
    notDeepEqual(member.kv.applyDigest(), chain);
  }
});

test("bytes that no edge lets pass do nothing in apply", () => {
  const { member, rows } = used();
  const { kv } = member;
  const apply = (kind: OperationKind, payload: Uint8Array): KvError =>
    kv.apply({ kind, level: 1, index: ++member.index, term: 1, wallMs: 1, payload }, true, 1).error;
  for (const kind of Object.values(OperationKind)) {
    equal(apply(kind, kv.envelope("", 0, Uint8Array.of(0x0a, 9))), KvError.Malformed);
    equal(apply(kind, Uint8Array.of(200)), KvError.Malformed);
  }
  equal(apply(OperationKind.Put, kv.envelope("u", 7, new Uint8Array())), KvError.KeyNotProvided);
  const nothing = kv.envelope("u", 7, new Uint8Array());
  equal(apply(OperationKind.DeleteRange, nothing), KvError.KeyNotProvided);
  equal(kv.revision, 4);
  equal(rows.count, 3);
});

test("an answer above rangeBytesMax is refused; an operation is done all the same", () => {
  const kv = new KvState({ rows: new MemoryRows(), ...options });
  let index = 0;
  const apply = ({ kind, bytes }: Request, wantReply = true): KvError => {
    const payload = kv.envelope("", 0, bytes);
    const operation = { level: 1, index: ++index, term: 1, wallMs: 1, payload };
    return kv.apply({ ...operation, kind: kind as OperationKind }, wantReply, 1).error;
  };
  const { ResponseTooLarge, None } = KvError;
  for (const key of ["a", "b", "c"]) equal(apply(put(key, key.repeat(400))), None);
  const all = { key: b("a"), rangeEnd: b("\0") };
  const range = (fields: Partial<Omit<RangeRequest, "type">>): KvError =>
    kv.range(encodeRangeRequest(new RangeRequest({ ...all, ...fields })), 1).error;
  equal(range({}), ResponseTooLarge);
  equal(range({ sortOrder: 2 }), ResponseTooLarge);
  equal(range({ limit: 2 }), None);
  equal(range({ sortOrder: 2, limit: 2 }), None);
  equal(range({ keysOnly: true }), None);
  const three = txn(new RangeRequest(all), new PutRequest({ key: b("d") }), new RangeRequest(all));
  equal(
    kv.readTxn(encodeTxnRequest(new TxnRequest({ success: [new RangeRequest(all)] })), 1).error,
    ResponseTooLarge,
  );
  equal(apply(three), ResponseTooLarge);
  equal(kv.keys, 4);
  equal(apply(three, false), None, "nobody asked for the answer");
  equal(apply(del("a", "\0", true)), ResponseTooLarge);
  equal(kv.keys, 0);
});

test("replies are encoded only for who wants them", () => {
  const { member } = used();
  equal(member.handle(put("a"), false).bytes, null);
  ok(member.handle(put("a"), true).bytes !== null);
});

test("replies do not change when later ones are made", () => {
  const { member } = used();
  const replies = Array.from({ length: 1000 }, (_, i) => member.handle(put("a", `value ${i}`)));
  const ranges = replies.map(() =>
    member.handle(new Request(0, new RangeRequest({ key: b("a") }))),
  );
  replies.forEach(({ bytes }, i) => equal(decodeRangeResponse(bytes!)?.header.revision, 5 + i));
  for (const { bytes } of ranges) equal(toText(bytes!), toText(ranges[0]!.bytes!));
  const toTextSet = new Set(replies.map(({ bytes }) => toText(bytes!)));
  equal(toTextSet.size, 1000);
});

function toText(bytes: Uint8Array): string {
  return latin1Decode(bytes);
}

// ---- Order, digests, hashing --------------------------------------------------------------------------

test("entries come once and in order; those that are no operation move the chain alone", () => {
  const { member } = used();
  const { kv } = member;
  const live = kv.liveDigest();
  const chain = kv.applyDigest();
  throws(() => kv.skip(member.index, 1), AssertionError);
  throws(
    () => member.apply(OperationKind.Put, put("a").bytes, (member.index = 0) === 0),
    AssertionError,
  );
  kv.skip(10, 1);
  deepEqual(kv.liveDigest(), live);
  notDeepEqual(kv.applyDigest(), chain);
  // Index, term and kind of entry all count.
  const chains = [
    (other: KvState) => other.skip(10, 2),
    (other: KvState) => other.skip(11, 1),
    (other: KvState) => other.skip(10, 1),
  ].map((skip) => {
    const other = used().member.kv;
    skip(other);
    return JSON.stringify(other.applyDigest());
  });
  equal(new Set(chains).size, 3);
  equal(chains[2], JSON.stringify(kv.applyDigest()));
});

test("every part of an entry counts in the apply digest, whatever the operation does with it", () => {
  const { kv } = new Member(new MemoryRows());
  const payload = kv.envelope("", 0, del("nothing").bytes);
  const entry = {
    kind: OperationKind.DeleteRange,
    level: 1,
    index: 1,
    term: 1,
    wallMs: 1,
    payload,
  };
  const entries = [
    entry,
    { ...entry, kind: OperationKind.Put },
    { ...entry, level: 2 },
    { ...entry, index: 2 },
    { ...entry, term: 2 },
    { ...entry, wallMs: 2 },
    { ...entry, payload: kv.envelope("", 1, del("nothing").bytes) },
  ];
  const digests = entries.map((operation) => {
    const other = new Member(new MemoryRows()).kv;
    other.apply(operation, false, 1);
    return JSON.stringify(other.applyDigest());
  });
  equal(new Set(digests).size, entries.length);
});

function hashed(task: HashKvTask | KvError, rowsMax = 1): HashKvTask {
  ok(typeof task !== "number");
  while (!task.step(rowsMax));
  return task;
}

test("while a hash is under way compaction drops nothing, and goes on behind it", () => {
  const { member, rows } = used();
  const { kv } = member;
  const expected = hashed(kv.hashKv(4)).hash;
  const task = kv.hashKv(4);
  ok(typeof task !== "number");
  member.handle(compact(4));
  member.handle(put("z"));
  ok(kv.compactStep(100));
  equal(rows.deadRefs.size, 0);
  const done = hashed(task);
  deepEqual([done.hash, done.compactRevision, done.hashRevision, done.error], [expected, -1, 4, 0]);
  ok(kv.compactStep(100));
  equal(rows.deadRefs.size, 1);
  equal(kv.hashKv(4), KvError.Compacted);
  equal(kv.hashKv(99), KvError.FutureRevision);
});

test("a hash begins anew when a snapshot is installed, and says so when its revision is gone", () => {
  const { member, rows } = used();
  const install = (kv: KvState): void => {
    const source = used();
    source.member.handle(put("c"));
    ok(kv.beginRebuild(source.member.kv.tables()));
    for (const [row] of source.rows.stored()) {
      // The refs of the new store: as if appended.
      const ref = row.main === 5 ? rows.append(row) : row.main - 2;
      kv.rebuildRow(scannedOf(row), ref);
    }
    ok(kv.finishRebuild());
  };
  const task = member.kv.hashKv(0);
  ok(typeof task !== "number");
  ok(!task.step(1));
  install(member.kv);
  const again = hashed(task);
  deepEqual([again.error, again.hashRevision], [KvError.None, 5]);
  equal(again.hash, hashed(member.kv.hashKv(5)).hash);

  const gone = member.kv.hashKv(5);
  ok(typeof gone !== "number");
  ok(member.kv.beginRebuild([]));
  ok(member.kv.finishRebuild());
  equal(hashed(gone).error, KvError.FutureRevision);
});

test("R5 the host can tell which reads need no read index", () => {
  const serializable = new RangeRequest({ key: b("a"), serializable: true });
  const linear = new RangeRequest({ key: b("a") });
  const is = (...success: TxnRequest["success"]): boolean =>
    txnIsSerializable(encodeTxnRequest(new TxnRequest({ success })));
  ok(rangeIsSerializable(encodeRangeRequest(serializable)));
  ok(!rangeIsSerializable(encodeRangeRequest(linear)));
  ok(!rangeIsSerializable(Uint8Array.of(0x0a, 9)));
  ok(is(serializable, serializable));
  ok(!is(serializable, linear));
  ok(!is(new PutRequest({ key: b("a") })));
  ok(!txnIsSerializable(Uint8Array.of(0x0a, 9)));
});

test("a transaction reads its own writes, while its compares see the state before it", () => {
  const { member } = used();
  const inner = new TxnRequest({ success: [new RangeRequest({ key: b("n") })] });
  const reply = member.handle(
    txn(new PutRequest({ key: b("n"), value: b("1") }), new RangeRequest({ key: b("n") }), inner),
  );
  const response = decodeTxnResponse(reply.bytes!)!;
  const [, range, nested] = response.responses;
  ok(range?.type === 1 && nested?.type === 4);
  deepEqual([range.count, range.header.revision, range.kvs[0]!.modRevision], [1, 5, 5]);
  deepEqual([nested.header.revision, nested.responses[0]?.header.revision], [0, 5]);
  deepEqual([response.header.revision, member.kv.revision], [5, 5]);
});
