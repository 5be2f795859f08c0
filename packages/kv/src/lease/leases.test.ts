// The table of leases through apply, as a host drives it: what is granted, attached, revoked, written down,
// and what a checkpoint, a scan and a recovery make of it. Random histories against a twin and a real
// etcd are in kv.property.test.ts and kv.etcd.test.ts.
import { deepEqual, equal, notDeepEqual, ok } from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { latin1Encode } from "@quorate/base";
import { AlarmCause } from "../alarm/alarm-causes.ts";
import { AlarmAction, encodeAlarmCommand } from "../alarm/alarm-command.ts";
import { AlarmType } from "../alarm/alarm-type.ts";
import { KvError } from "../kv-error.ts";
import { KvState } from "../kv-state.ts";
import { OperationKind } from "../operation.ts";
import { withOtherTables } from "../other-tables.ts";
import { TableRecord } from "../table.ts";
import { Member, term } from "../test/member.ts";
import { Request } from "../test/requests.ts";
import { MemoryRows, scannedOf } from "../testing/memory-rows.ts";
import { CompactionRequest, DeleteRangeRequest, PutRequest, TxnRequest } from "../wire/request.ts";
import { leaseKeysMax } from "./lease.ts";
import {
  decodeLeaseCheckpoint,
  decodeLeaseGrant,
  decodeLeaseRevoke,
  encodeLeaseCheckpoint,
  encodeLeaseGrant,
  encodeLeaseRevoke,
  remaindersMax,
  RevokeCause,
} from "./lease-commands.ts";
import type { LeaseRevokeCommand } from "./lease-commands.ts";
import { leaseIdHigh, leaseIdLow, leaseIdOf, leaseIdText, noLease } from "./lease-id.ts";
import { decodeLeases } from "./lease-snapshot.ts";
import { LeaseTable } from "./lease-table.ts";
import type { LeaseObserver } from "./lease-view.ts";

const b = latin1Encode;
const id = (n: number): ReturnType<typeof leaseIdOf> => leaseIdOf(0, n);

function grant(member: Member, n: number, ttlSeconds: number = 60): KvError {
  const record = encodeLeaseGrant({ id: id(n), ttlSeconds });
  return member.apply(OperationKind.LeaseGrant, record).error;
}

function revoke(member: Member, command: LeaseRevokeCommand): KvError {
  return member.apply(OperationKind.LeaseRevoke, encodeLeaseRevoke(command)).error;
}

const byClient = (n: number): LeaseRevokeCommand => ({ cause: RevokeCause.Client, id: id(n) });

function checkpoint(member: Member, n: number, remainingTtlSeconds: number, inTerm = term): void {
  const { grantIndex } = member.kv.leases.get(id(n))!;
  const remainders = [{ id: id(n), grantIndex, remainingTtlSeconds }];
  const record = encodeLeaseCheckpoint({ term: inTerm, remainders });
  equal(member.apply(OperationKind.LeaseCheckpoint, record).error, KvError.None);
}

const putOf = (key: string, lease: number, more: Partial<PutRequest> = {}): PutRequest =>
  new PutRequest({ key: b(key), value: b("v"), leaseLow: lease, ...more });

function put(member: Member, key: string, lease: number, more: Partial<PutRequest> = {}): KvError {
  return member.handle(new Request(OperationKind.Put, putOf(key, lease, more))).error;
}

function keysOf(member: Member, n: number): string[] {
  const lease = member.kv.leases.get(id(n));
  return lease === null ? [] : member.kv.leaseKeys(lease).map((key) => String.fromCharCode(...key));
}

function restart(member: Member, rows: MemoryRows): Member {
  const reopened = rows.reopened();
  const again = new Member(reopened);
  ok(again.kv.beginRebuild(member.kv.tables()));
  for (const [row, ref] of reopened.stored()) again.kv.rebuildRow(scannedOf(row), ref);
  ok(again.kv.finishRebuild());
  return again;
}

test("a revoke deletes all keys in one revision, in order of their bytes, and nothing else", () => {
  const rows = new MemoryRows();
  const member = new Member(rows);
  grant(member, 1);
  grant(member, 2);
  for (const key of ["b", "\xff", "a", "aa", "B"]) put(member, key, 1);
  put(member, "other", 2);
  put(member, "free", 0);
  deepEqual(keysOf(member, 1), ["B", "a", "aa", "b", "\xff"]);
  const before = rows.count;
  const { revision } = member.kv;
  equal(revoke(member, byClient(1)), KvError.None);
  equal(member.kv.revision, revision + 1);
  const deleted = [...rows.stored()].slice(before).map(([row]) => row);
  deepEqual(
    deleted.map((row) => [String.fromCharCode(...row.key), row.tombstone, row.main, row.sub]),
    ["B", "a", "aa", "b", "\xff"].map((key, sub) => [key, true, revision + 1, sub]),
  );
  equal(member.kv.keys, 2);
  equal(revoke(member, byClient(1)), KvError.LeaseNotFound);
  equal(revoke(member, byClient(2)), KvError.None);
  grant(member, 3);
  equal(revoke(member, byClient(3)), KvError.None, "without keys");
  equal(member.kv.revision, revision + 2, "nothing is deleted: no revision");
});

test("a key is attached to the lease of its newest put, and to none once it is deleted", () => {
  const member = new Member(new MemoryRows());
  grant(member, 1);
  grant(member, 2);
  put(member, "k", 1);
  put(member, "k", 2);
  deepEqual([keysOf(member, 1), keysOf(member, 2)], [[], ["k"]]);
  equal(put(member, "k", 0, { ignoreLease: true }), KvError.None);
  deepEqual(keysOf(member, 2), ["k"]);
  put(member, "k", 0);
  deepEqual(keysOf(member, 2), []);
  const txn = new TxnRequest({ success: [putOf("x", 1), putOf("y", 2)] });
  equal(member.handle(new Request(OperationKind.Txn, txn)).error, KvError.None);
  deepEqual([keysOf(member, 1), keysOf(member, 2)], [["x"], ["y"]]);
  const refused = new TxnRequest({ success: [putOf("z", 1), putOf("y", 9)] });
  equal(member.handle(new Request(OperationKind.Txn, refused)).error, KvError.LeaseNotFound);
  deepEqual(keysOf(member, 1), ["x"]);
  const all = new DeleteRangeRequest({ key: b("\0"), rangeEnd: b("\0") });
  member.handle(new Request(OperationKind.DeleteRange, all));
  deepEqual([keysOf(member, 1), keysOf(member, 2)], [[], []]);
  equal(put(member, "k", 3), KvError.LeaseNotFound);
});

test("T3 an expired lease is revoked only by its leader's term, and only that very grant", () => {
  const member = new Member(new MemoryRows());
  grant(member, 1);
  const { grantIndex } = member.kv.leases.get(id(1))!;
  const cause = RevokeCause.Expired;
  const expired = { cause, id: id(1), grantIndex, term };
  equal(revoke(member, { ...expired, term: term - 1 }), KvError.LeaseNotFound);
  equal(revoke(member, { ...expired, grantIndex: grantIndex + 1 }), KvError.LeaseNotFound);
  ok(member.kv.leases.get(id(1)) !== null);
  revoke(member, byClient(1));
  grant(member, 1);
  equal(revoke(member, expired), KvError.LeaseNotFound, "another lease has that id now");
  const now = member.kv.leases.get(id(1))!.grantIndex;
  equal(revoke(member, { ...expired, grantIndex: now }), KvError.None);
});

test("a remainder counts in its leader's term, for its grant, and no longer than was granted", () => {
  const member = new Member(new MemoryRows());
  grant(member, 1, 600);
  const lease = member.kv.leases.get(id(1))!;
  checkpoint(member, 1, 250);
  deepEqual([lease.remainingTtlSeconds, lease.owedTtlSeconds], [250, 250]);
  checkpoint(member, 1, 100, term - 1);
  equal(lease.remainingTtlSeconds, 250);
  checkpoint(member, 1, 10_000);
  equal(lease.owedTtlSeconds, 600);
  checkpoint(member, 1, 0);
  equal(lease.owedTtlSeconds, 600);
  const old = [{ id: id(1), grantIndex: lease.grantIndex + 1, remainingTtlSeconds: 5 }];
  const gone = [{ id: id(7), grantIndex: 1, remainingTtlSeconds: 5 }];
  for (const remainders of [old, gone]) {
    const record = encodeLeaseCheckpoint({ term, remainders });
    equal(member.apply(OperationKind.LeaseCheckpoint, record).error, KvError.None);
  }
  equal(lease.remainingTtlSeconds, 0);
});

test("a grant: twice is refused, an id of before is free again", () => {
  const member = new Member(new MemoryRows());
  equal(grant(member, 1), KvError.None);
  equal(grant(member, 1), KvError.LeaseExists);
  revoke(member, byClient(1));
  equal(grant(member, 1), KvError.None);
});

test("the digest counts leases and what is left of them, without any it is as before", () => {
  const member = new Member(new MemoryRows());
  const without = member.kv.liveDigest();
  grant(member, 1);
  grant(member, 2, 61);
  const both = member.kv.liveDigest();
  notDeepEqual(both, without);
  checkpoint(member, 2, 3);
  notDeepEqual(member.kv.liveDigest(), both);
  checkpoint(member, 2, 0);
  deepEqual(member.kv.liveDigest(), both);
  revoke(member, byClient(1));
  revoke(member, byClient(2));
  deepEqual(member.kv.liveDigest(), without);
});

test("a checkpoint holds the leases; the scan attaches the keys again", () => {
  const rows = new MemoryRows();
  const member = new Member(rows);
  for (const n of [3, 1, 2]) grant(member, n, 100 + n);
  put(member, "a", 3);
  put(member, "gone", 1);
  put(member, "b", 2);
  put(member, "a", 2);
  // Its rows still name it when the scan comes by.
  revoke(member, byClient(1));
  checkpoint(member, 2, 40);
  const again = restart(member, rows);
  deepEqual(
    [...again.kv.leases.all()].map((lease) => [leaseIdText(lease.id), lease.owedTtlSeconds]),
    [
      [leaseIdText(id(3)), 103],
      [leaseIdText(id(2)), 40],
    ],
    "in the order of their grants",
  );
  deepEqual([keysOf(again, 3), keysOf(again, 2)], [[], ["a", "b"]]);
  again.index = member.index;
  equal(revoke(again, byClient(2)), KvError.None);
  equal(again.kv.keys, 0);
});

test("a scan that ends with a live row whose lease is gone has found damage", () => {
  const rows = new MemoryRows();
  const member = new Member(rows);
  grant(member, 1);
  put(member, "k", 1);
  const table = new LeaseTable();
  const tables = member.kv
    .tables()
    .map((record) =>
      record.name === "leases" ? new TableRecord("leases", table.snapshot()) : record,
    );
  const again = new Member(rows.reopened());
  // The live digest of the tables is not the checkpoint's either; the rows are looked at all the same.
  equal(again.kv.beginRebuild(tables), false);
  for (const [row, ref] of rows.stored()) again.kv.rebuildRow(scannedOf(row), ref);
  equal(again.kv.finishRebuild(), false);
});

test("a compaction of what a lease's keys were does not touch the lease", () => {
  const rows = new MemoryRows(1);
  const member = new Member(rows);
  grant(member, 1);
  put(member, "k", 1);
  put(member, "k", 1);
  put(member, "l", 1);
  const { revision } = member.kv;
  member.handle(new Request(OperationKind.Compact, new CompactionRequest({ revision })));
  while (!member.kv.compactStep(10));
  for (let segment = 0; segment < 4; segment++) rows.reclaim(segment);
  deepEqual(keysOf(restart(member, rows), 1), ["k", "l"]);
});

test("a recovery keeps the leases and gives them all their time", () => {
  const member = new Member(new MemoryRows());
  grant(member, 1, 600);
  checkpoint(member, 1, 5);
  const tables = withOtherTables(member.kv.tables(), []);
  const options = { clusterId: 1n, memberId: 2n, txnOpsMax: 128, rangeBytesMax: 1000 };
  const kv = new KvState({ rows: new MemoryRows(), ...options });
  ok(kv.beginRebuild(tables!));
  ok(kv.finishRebuild());
  deepEqual(kv.leases.get(id(1))!.owedTtlSeconds, 5);
  kv.recovered(member.index + 1, term, 1000);
  deepEqual(kv.leases.get(id(1))!.owedTtlSeconds, 600);
  // The same without a checkpoint, by the whole log.
  member.kv.recovered(member.index + 1, term, 1000);
  deepEqual(kv.liveDigest(), member.kv.liveDigest());
});

test("NOSPACE refuses a grant, CORRUPT a revoke too; remainders are written down all the same", () => {
  const member = new Member(new MemoryRows());
  const memberId = "00000000000000a1";
  const raise = (type: AlarmType, action: AlarmAction): void => {
    const command = { action, memberId, type, cause: AlarmCause.Operator, text: "" };
    member.apply(OperationKind.Alarm, encodeAlarmCommand(command));
  };
  grant(member, 1);
  grant(member, 2);
  raise(AlarmType.NoSpace, AlarmAction.Activate);
  equal(grant(member, 3), KvError.NoSpace);
  equal(revoke(member, byClient(1)), KvError.None);
  raise(AlarmType.Corrupt, AlarmAction.Activate);
  equal(grant(member, 3), KvError.Corrupt);
  equal(revoke(member, byClient(2)), KvError.Corrupt);
  checkpoint(member, 2, 7);
  equal(member.kv.leases.get(id(2))!.remainingTtlSeconds, 7);
});

test("bounds: of leases, and of keys attached to one", () => {
  const table = new LeaseTable(100);
  for (let n = 1; n <= 100; n++) equal(table.grant(id(n), 60, n), KvError.None);
  equal(table.grant(id(77), 60, 200), KvError.LeaseExists);
  equal(table.grant(id(101), 60, 200), KvError.TooManyLeases);
  table.remove(table.get(id(5))!);
  equal(table.grant(id(101), 60, 200), KvError.None);

  const member = new Member(new MemoryRows());
  grant(member, 1);
  const { slots } = member.kv.leases.get(id(1))!;
  put(member, "k", 1);
  // Stand-ins: slots that no key has.
  for (let slot = 1; slots.size < leaseKeysMax; slot++) slots.add(1_000_000 + slot);
  equal(put(member, "new", 1), KvError.TooManyLeaseKeys);
  equal(put(member, "k", 1), KvError.None, "it is attached already");
});

test("whoever listens is told what apply does, and that all is void when another state comes", () => {
  const member = new Member(new MemoryRows());
  const told: string[] = [];
  const listener: LeaseObserver = {
    granted: (lease) => void told.push(`granted ${lease.low} ${lease.owedTtlSeconds}`),
    checkpointed: (lease) => void told.push(`checkpointed ${lease.low} ${lease.owedTtlSeconds}`),
    revoked: (lease) => void told.push(`revoked ${lease.low}`),
    replaced: () => void told.push("replaced"),
  };
  member.kv.leases.observer = listener;
  grant(member, 1);
  grant(member, 1);
  checkpoint(member, 1, 9);
  revoke(member, byClient(1));
  deepEqual(told, ["granted 1 60", "checkpointed 1 9", "revoked 1"]);
  told.length = 0;
  grant(member, 2);
  member.kv.beginRebuild(member.kv.tables());
  deepEqual(told, ["granted 2 60", "replaced"]);
});

test("ids: all 64 bits, their order, and their digits", () => {
  const half = fc.integer({ min: 0, max: 0xffffffff });
  fc.assert(
    fc.property(half, half, half, half, (high, low, otherHigh, otherLow) => {
      const one = leaseIdOf(high, low);
      deepEqual([leaseIdHigh(one), leaseIdLow(one), one.length], [high, low, 8]);
      const other = leaseIdOf(otherHigh, otherLow);
      equal(one < other, high < otherHigh || (high === otherHigh && low < otherLow));
    }),
  );
  equal(leaseIdText(leaseIdOf(0x1a, 0xffffffff)), "0000001affffffff");
});

test("records: what is encoded comes back, nonsense does not", () => {
  const granted = { id: id(7), ttlSeconds: 9e9 };
  deepEqual(decodeLeaseGrant(encodeLeaseGrant(granted)), granted);
  for (const bad of [{ ttlSeconds: 0 }, { ttlSeconds: 9e9 + 1 }, { id: noLease }]) {
    equal(decodeLeaseGrant(encodeLeaseGrant({ ...granted, ...bad })), null);
  }
  const expired = { cause: RevokeCause.Expired, id: id(7), grantIndex: 2 ** 40, term: 3 };
  deepEqual(decodeLeaseRevoke(encodeLeaseRevoke(expired)), expired);
  deepEqual(decodeLeaseRevoke(encodeLeaseRevoke(byClient(7))), byClient(7));
  equal(decodeLeaseRevoke(encodeLeaseRevoke({ ...byClient(7), cause: 3 as 1 })), null);
  const remainder = { id: id(7), grantIndex: 5, remainingTtlSeconds: 0 };
  const written = { term: 4, remainders: Array.from({ length: remaindersMax }, () => remainder) };
  deepEqual(decodeLeaseCheckpoint(encodeLeaseCheckpoint(written)), written);
  const tooMany = { term: 4, remainders: [...written.remainders, remainder] };
  equal(decodeLeaseCheckpoint(encodeLeaseCheckpoint(tooMany)), null);
  const all = [
    [decodeLeaseGrant, encodeLeaseGrant(granted)],
    [decodeLeaseRevoke, encodeLeaseRevoke(expired)],
    [decodeLeaseCheckpoint, encodeLeaseCheckpoint({ term: 4, remainders: [remainder] })],
  ] as const;
  for (const [decode, bytes] of all) {
    for (let end = 0; end < bytes.length; end++) equal(decode(bytes.subarray(0, end)), null);
    equal(decode(Uint8Array.of(...bytes, 0)), null);
    equal(decode(Uint8Array.of(9, ...bytes.subarray(1))), null, "of a newer format");
  }
});

test("a snapshot of the table with anything wrong in it is refused", () => {
  const table = new LeaseTable();
  table.grant(id(1), 60, 3);
  table.grant(id(2), 60, 4);
  const bytes = table.snapshot();
  equal(decodeLeases(bytes)!.length, 2);
  for (let end = 0; end < bytes.length; end++) equal(decodeLeases(bytes.subarray(0, end)), null);
  equal(decodeLeases(Uint8Array.of(...bytes, 0)), null);
  // The second id made the first one's: little-endian halves behind format, count and one record.
  const second = bytes.slice();
  second[2 + 11 + 4] = 1;
  equal(new LeaseTable().restore(second), false);
});
