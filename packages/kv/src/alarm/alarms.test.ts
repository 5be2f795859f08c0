// The replicated table of alarms: what a command finds or makes, who may take it back, what active
// alarms refuse, and that checkpoints and digests carry it. Method: commands through apply, as a host.
import { deepEqual, equal, notDeepEqual, ok } from "node:assert/strict";
import { test } from "node:test";
import { latin1Encode } from "@quorate/base";
import { KvError } from "../kv-error.ts";
import { KvState } from "../kv-state.ts";
import { OperationKind } from "../operation.ts";
import { withOtherTables } from "../other-tables.ts";
import { TableRecord } from "../table.ts";
import { Member } from "../test/member.ts";
import { Request } from "../test/requests.ts";
import { MemoryRows } from "../testing/memory-rows.ts";
import {
  CompactionRequest,
  DeleteRangeRequest,
  PutRequest,
  RangeRequest,
  TxnRequest,
} from "../wire/request.ts";
import { Alarm, alarmsMax, decodeAlarms, encodeAlarms } from "./alarm.ts";
import { AlarmCause, alarmCauses } from "./alarm-causes.ts";
import { AlarmAction, decodeAlarmCommand, encodeAlarmCommand } from "./alarm-command.ts";
import type { AlarmCommand } from "./alarm-command.ts";
import { alarmNames, AlarmType, isAlarmType } from "./alarm-type.ts";

const m1 = "00000000000000a1";
const m2 = "ffffffffffffffff";
const { Activate, Deactivate } = AlarmAction;
const { NoSpace, Corrupt, DiskFailing } = AlarmType;

function command(fields: Partial<AlarmCommand> = {}): AlarmCommand {
  const defaults = { action: Activate, memberId: m1, type: NoSpace, text: "" };
  return { ...defaults, cause: AlarmCause.Operator, ...fields };
}

/** What the reply lists, as "KIND member cause", or the error. */
function send(member: Member, fields: Partial<AlarmCommand> = {}): readonly string[] | KvError {
  const { error, bytes } = member.apply(OperationKind.Alarm, encodeAlarmCommand(command(fields)));
  return bytes === null ? error : (decodeAlarms(bytes) ?? []).map(textOf);
}

function textOf({ type, memberId, cause }: Alarm): string {
  return `${alarmNames[type]} ${memberId} ${cause}`;
}

const active = (member: Member): string[] => member.kv.alarms.map(textOf);

test("an alarm is raised once, found again, and taken back once, as etcd answers", () => {
  const member = new Member(new MemoryRows());
  deepEqual(send(member), [`NOSPACE ${m1} 1`]);
  const [first] = member.kv.alarms;
  equal(first!.sinceMs, member.wallMs);
  deepEqual(send(member, { text: "later" }), [`NOSPACE ${m1} 1`]);
  deepEqual(member.kv.alarms, [first], "the first one stays");
  send(member, { memberId: m2 });
  send(member, { type: Corrupt, memberId: m2 });
  const sorted = [`NOSPACE ${m1} 1`, `NOSPACE ${m2} 1`, `CORRUPT ${m2} 1`];
  deepEqual(active(member), sorted);
  deepEqual(send(member, { action: Deactivate }), [`NOSPACE ${m1} 1`]);
  deepEqual(send(member, { action: Deactivate }), []);
  deepEqual(active(member), sorted.slice(1));
});

test("a cause takes back its own alarms only, an operator any; an operator's stays", () => {
  const member = new Member(new MemoryRows());
  const disk = { cause: AlarmCause.DiskSpace };
  send(member, disk);
  deepEqual(send(member, { action: Deactivate, cause: AlarmCause.Quota }), []);
  deepEqual(send(member, { action: Deactivate, ...disk }), [`NOSPACE ${m1} 2`]);
  send(member, disk);
  deepEqual(send(member, { action: Deactivate }), [`NOSPACE ${m1} 2`]);
  send(member, disk);
  const [raised] = member.kv.alarms;
  deepEqual(send(member), [`NOSPACE ${m1} 1`], "the operator takes it over");
  equal(member.kv.alarms[0]!.sinceMs, raised!.sinceMs);
  deepEqual(send(member, { action: Deactivate, ...disk }), []);
  deepEqual(active(member), [`NOSPACE ${m1} 1`]);
});

const b = latin1Encode;
const put = new PutRequest({ key: b("k"), value: b("v") });
const del = new DeleteRangeRequest({ key: b("k") });
const read = new RangeRequest({ key: b("k") });
const txn = (success: TxnRequest["success"], failure: TxnRequest["failure"] = []): Request =>
  new Request(OperationKind.Txn, new TxnRequest({ success, failure }));

test("NOSPACE refuses what puts, in either branch and at any depth, and nothing else", () => {
  const inner = new TxnRequest({ success: [], failure: [put] });
  const rows: [string, Request, KvError][] = [
    ["put", new Request(OperationKind.Put, put), KvError.NoSpace],
    ["delete", new Request(OperationKind.DeleteRange, del), KvError.None],
    ["put in a txn", txn([put]), KvError.NoSpace],
    ["put in the branch not taken", txn([del], [put]), KvError.NoSpace],
    ["put in an inner txn", txn([inner]), KvError.NoSpace],
    ["txn without put", txn([del, read]), KvError.None],
    ["compaction", new Request(OperationKind.Compact, new CompactionRequest({ revision: 2 })), 0],
    ["read-only txn", txn([read]), KvError.None],
  ];
  for (const [what, request, error] of rows) {
    const member = new Member(new MemoryRows());
    member.handle(new Request(OperationKind.Put, put));
    member.handle(new Request(OperationKind.Put, put));
    const { revision } = member.kv;
    send(member, { cause: AlarmCause.DiskSpace, memberId: m2 });
    equal(member.handle(request).error, error, what);
    if (error !== KvError.None) equal(member.kv.revision, revision, what);
    send(member, { action: Deactivate, memberId: m2 });
    equal(member.handle(new Request(OperationKind.Put, put)).error, KvError.None, what);
  }
});

test("CORRUPT refuses every write, whatever else is active; reads go on", () => {
  const member = new Member(new MemoryRows());
  member.handle(new Request(OperationKind.Put, put));
  send(member);
  send(member, { type: Corrupt });
  const writes = [
    new Request(OperationKind.Put, put),
    new Request(OperationKind.DeleteRange, del),
    txn([del]),
    new Request(OperationKind.Compact, new CompactionRequest({ revision: 2 })),
  ];
  for (const request of writes) equal(member.handle(request).error, KvError.Corrupt);
  equal(member.handle(txn([read])).error, KvError.None);
  send(member, { action: Deactivate, type: Corrupt });
  equal(member.handle(new Request(OperationKind.DeleteRange, del)).error, KvError.None);
});

test("an alarm that is ours refuses nothing", () => {
  const member = new Member(new MemoryRows());
  send(member, { type: DiskFailing, cause: AlarmCause.ReadErrors });
  equal(member.handle(new Request(OperationKind.Put, put)).error, KvError.None);
});

const options = { clusterId: 1n, memberId: 2n, txnOpsMax: 128, rangeBytesMax: 1000 };

test("a checkpoint holds the alarms, the live digest counts them", () => {
  const member = new Member(new MemoryRows());
  const without = member.kv.liveDigest();
  send(member, { text: "seen at /data" });
  notDeepEqual(member.kv.liveDigest(), without);
  const kv = new KvState({ rows: new MemoryRows(), ...options });
  ok(kv.beginRebuild(member.kv.tables()));
  ok(kv.finishRebuild());
  deepEqual(kv.alarms, member.kv.alarms);
  deepEqual(kv.liveDigest(), member.kv.liveDigest());
  send(member, { action: Deactivate });
  deepEqual(member.kv.liveDigest(), without, "an empty table counts as none");
});

test("a checkpoint from before there were alarms is taken in", () => {
  const member = new Member(new MemoryRows());
  const older = member.kv.tables().filter(({ name }) => name !== "alarms");
  const kv = new KvState({ rows: new MemoryRows(), ...options });
  ok(kv.beginRebuild(older));
  ok(kv.finishRebuild());
});

test("a recovery with other members keeps the alarms", () => {
  const member = new Member(new MemoryRows());
  send(member);
  const tables = withOtherTables(member.kv.tables(), []);
  const kv = new KvState({ rows: new MemoryRows(), ...options });
  ok(kv.beginRebuild(tables!));
  deepEqual(kv.alarms, member.kv.alarms);
});

test("the table is bounded, and says so", () => {
  const member = new Member(new MemoryRows());
  const id = (n: number): string => n.toString(16).padStart(16, "0");
  for (let n = 0; n < alarmsMax; n++) send(member, { memberId: id(n) });
  equal(send(member, { memberId: id(alarmsMax) }), KvError.TooManyAlarms);
  deepEqual(send(member, { memberId: id(3) }), [`NOSPACE ${id(3)} 1`], "known ones are found");
  ok(new KvState({ rows: new MemoryRows(), ...options }).beginRebuild(member.kv.tables()));
});

test("commands and lists: what is encoded comes back, nonsense does not", () => {
  const sent = command({ text: "x".repeat(1000), memberId: m2, type: DiskFailing });
  deepEqual(decodeAlarmCommand(encodeAlarmCommand(sent)), { ...sent, text: "x".repeat(256) });
  const bad: Partial<Record<keyof AlarmCommand, unknown>>[] = [
    { action: 3 },
    { type: 0 },
    { type: 77 },
    { cause: 0 },
    { memberId: "A1" },
  ];
  for (const fields of bad) {
    equal(decodeAlarmCommand(encodeAlarmCommand({ ...sent, ...fields } as AlarmCommand)), null);
  }
  const bytes = encodeAlarmCommand(sent);
  equal(decodeAlarmCommand(bytes.subarray(0, bytes.length - 1)), null);
  equal(decodeAlarmCommand(Uint8Array.of(...bytes, 0)), null);
  const list = encodeAlarms([new Alarm(m1, NoSpace, AlarmCause.Quota, "full", 1.7e12)]);
  equal(decodeAlarms(list.subarray(0, list.length - 1)), null);
  const kv = new KvState({ rows: new MemoryRows(), ...options });
  const records = new Member(new MemoryRows()).kv
    .tables()
    .map((record) =>
      record.name === "alarms" ? new TableRecord("alarms", list.subarray(1)) : record,
    );
  equal(kv.beginRebuild(records), false);
});

test("each cause raises a kind that there is, ours above etcd's", () => {
  for (const { type, advice } of Object.values(alarmCauses)) {
    ok(type === null || isAlarmType(type));
    ok(advice.length > 0 && advice.length < 100);
  }
  for (const type of Object.values(AlarmType)) ok(type <= 2 || type > 100);
});
