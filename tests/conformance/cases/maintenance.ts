// The Maintenance service of one member: Status, alarms, HashKV by etcd's own sum, Hash, Defragment.
import { deepEqual, equal, match, notEqual, ok } from "node:assert/strict";
import { create, toBinary } from "@bufbuild/protobuf";
import { etcd, mvcc } from "@quorate/proto";
import type { Case } from "../suite/case.ts";
import { bytes } from "../suite/trial.ts";
import type { Trial } from "../suite/trial.ts";

const { alarm, status, hashKV, hash, defragment, downgrade } = etcd.Maintenance.method;
const { range, put, deleteRange, txn, compact } = etcd.KV.method;
const { GET, ACTIVATE, DEACTIVATE } = etcd.AlarmRequest_AlarmAction;
const { NONE, NOSPACE, CORRUPT } = etcd.AlarmType;
const { VALIDATE, ENABLE, CANCEL } = etcd.DowngradeRequest_DowngradeAction;

async function raised(
  trial: Trial,
  kind: etcd.AlarmType,
  use: (memberID: bigint) => Promise<void>,
): Promise<void> {
  const memberID = (await trial.ok(status, {})).header!.memberId;
  const answer = await trial.ok(alarm, { action: ACTIVATE, memberID, alarm: kind });
  deepEqual(plain(answer), [[memberID, kind]]);
  try {
    await use(memberID);
  } finally {
    await trial.ok(alarm, { action: DEACTIVATE, memberID, alarm: kind });
  }
}

function plain({ alarms }: etcd.AlarmResponse): [bigint, etcd.AlarmType][] {
  return alarms.map((one) => [one.memberID, one.alarm]);
}

export const maintenanceCases: readonly Case[] = [
  {
    rule: "E-RPC",
    name: "Status: version, sizes, leader, indexes and term, no errors",
    run: async (trial) => {
      const revision = await trial.put("a", "1");
      const answer = await trial.ok(status, {});
      const { header } = answer;
      equal(header!.revision, revision);
      match(answer.version, /^\d+\.\d+\.\d+$/);
      equal(answer.leader, header!.memberId);
      equal(answer.raftTerm, header!.raftTerm);
      ok(answer.raftAppliedIndex > 0n && answer.raftIndex >= answer.raftAppliedIndex);
      ok(answer.dbSize >= answer.dbSizeInUse && answer.dbSizeInUse > 0n);
      deepEqual([answer.errors, answer.isLearner], [[], false]);
      if (trial.speaks("3.6")) notEqual(answer.storageVersion, "");
    },
  },
  {
    rule: "E-H1",
    name: "the header of Alarm is not there in 3.4, and is from 3.5 on",
    run: async (trial) => {
      const answer = await trial.ok(alarm, { action: GET });
      deepEqual(plain(answer), []);
      equal(answer.header !== undefined, trial.speaks("3.5"));
    },
  },
  {
    rule: "E-RPC",
    name: "Alarm: raised, listed by kind, told by Status, taken back",
    run: async (trial) => {
      await raised(trial, NOSPACE, async (memberID) => {
        const both = [[memberID, NOSPACE]];
        deepEqual(plain(await trial.ok(alarm, { action: GET })), both);
        deepEqual(plain(await trial.ok(alarm, { action: GET, alarm: NOSPACE })), both);
        deepEqual(plain(await trial.ok(alarm, { action: GET, alarm: CORRUPT })), []);
        const again = await trial.ok(alarm, { action: ACTIVATE, memberID, alarm: NOSPACE });
        deepEqual(plain(again), both);
        const { errors } = await trial.ok(status, {});
        deepEqual(errors, [`memberID:${memberID} alarm:NOSPACE `]);
        const other = { action: DEACTIVATE, memberID, alarm: CORRUPT };
        deepEqual(plain(await trial.ok(alarm, other)), []);
        const taken = await trial.ok(alarm, { action: DEACTIVATE, memberID, alarm: NOSPACE });
        deepEqual(plain(taken), both);
        deepEqual(plain(await trial.ok(alarm, { action: GET })), []);
        deepEqual((await trial.ok(status, {})).errors, []);
      });
    },
  },
  {
    rule: "E-ERR",
    name: "NOSPACE refuses what takes room; reads, deletes and compaction go on",
    run: async (trial) => {
      const key = trial.key("a");
      await trial.put("a", "1");
      await trial.put("a", "2");
      await raised(trial, NOSPACE, async () => {
        const before = await trial.revision();
        const write = { request: { case: "requestPut", value: { key } } } as const;
        await trial.refused("noSpace", put, { key });
        await trial.refused("noSpace", txn, { success: [write] });
        await trial.unchanged(before);
        await trial.ok(range, { key });
        await trial.ok(txn, { success: [{ request: { case: "requestRange", value: { key } } }] });
        await trial.ok(compact, { revision: before });
        equal((await trial.ok(deleteRange, { key })).deleted, 1n);
      });
      await trial.put("a", "3");
    },
  },
  {
    rule: "E-ERR",
    name: "NOSPACE refuses a put even in the branch that does not run",
    run: async (trial) => {
      const write = { request: { case: "requestPut", value: { key: trial.key("a") } } } as const;
      await raised(trial, NOSPACE, async () => {
        await trial.refused("noSpace", txn, { failure: [write] });
      });
    },
  },
  {
    rule: "E-ERR",
    name: "CORRUPT refuses every write; Status tells it",
    run: async (trial) => {
      const key = trial.key("a");
      await trial.put("a", "1");
      await raised(trial, CORRUPT, async (memberID) => {
        const before = await trial.revision();
        const write = { request: { case: "requestPut", value: { key } } } as const;
        await trial.refused("corrupt", put, { key });
        await trial.refused("corrupt", deleteRange, { key });
        await trial.refused("corrupt", txn, { success: [write] });
        await trial.refused("corrupt", compact, { revision: before });
        await trial.unchanged(before);
        const { errors } = await trial.ok(status, {});
        deepEqual(errors, [`memberID:${memberID} alarm:CORRUPT `]);
      });
      await trial.put("a", "2");
    },
  },
  {
    rule: "E-ERR",
    name: "an alarm or an action that no enum knows",
    only: "quorate",
    run: async (trial) => {
      trial.differs("X-unknown-alarm", { etcd: null, quorate: null });
      const kind = { action: ACTIVATE, alarm: 77 as etcd.AlarmType };
      const action = { action: 9 as etcd.AlarmRequest_AlarmAction, alarm: NOSPACE };
      const refusals = [
        (await trial.wire.unary(alarm, kind)).end,
        (await trial.wire.unary(alarm, action)).end,
      ];
      deepEqual(
        refusals.map(({ code, text }) => [code, text]),
        [
          [3, "etcdserver: unknown alarm type"],
          [3, "quorate: unknown alarm action"],
        ],
      );
      deepEqual(plain(await trial.ok(alarm, { action: GET, alarm: NONE })), []);
    },
  },
];

/** The rows that a store writes, as HashKV sums them: bucket name, then key and value of each. */
class Rows {
  readonly rows: { readonly main: bigint; readonly key: string; readonly bytes: Uint8Array }[] = [];

  put(main: bigint, key: string, rest: Omit<mvcc.KeyValue, "$typeName" | "key">): void {
    const value = create(mvcc.KeyValueSchema, { ...rest, key: bytes(key) });
    this.#add(main, key, 0, toBinary(mvcc.KeyValueSchema, value));
  }

  delete(main: bigint, key: string): void {
    const tombstone = create(mvcc.KeyValueSchema, { key: bytes(key) });
    this.#add(main, key, "t".charCodeAt(0), toBinary(mvcc.KeyValueSchema, tombstone));
  }

  /** `kept`: whether a row at or below the compacted revision is still counted. */
  sum(upTo: bigint, kept: (main: bigint) => boolean = () => true): number {
    const parts = this.rows.filter(({ main }) => main <= upTo && kept(main));
    return crc32c(Buffer.concat([Buffer.from("key"), ...parts.map((part) => part.bytes)]));
  }

  #add(main: bigint, key: string, mark: number, value: Uint8Array): void {
    const revision = Buffer.alloc(mark === 0 ? 17 : 18);
    revision.writeBigUInt64BE(main, 0);
    revision.write("_", 8);
    if (mark !== 0) revision[17] = mark;
    this.rows.push({ main, key, bytes: Buffer.concat([revision, value]) });
  }
}

/** Bit by bit, so that it shares nothing with what it checks. */
function crc32c(of: Uint8Array): number {
  let crc = 0xffff_ffff;
  for (const byte of of) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit += 1) crc = (crc >>> 1) ^ (crc & 1 ? 0x82f6_3b78 : 0);
  }
  return ~crc >>> 0;
}

export const hashCases: readonly Case[] = [
  {
    rule: "E-S2",
    name: "HashKV is CRC-32C over the rows, at every revision, with and without compaction",
    own: { members: 1 },
    run: async (trial) => {
      const rows = new Rows();
      const value = bytes("v");
      const row = (create: bigint, mod: bigint, version: bigint): object => ({
        createRevision: create,
        modRevision: mod,
        version,
        value,
        lease: 0n,
      });
      const at = async (revision: bigint): Promise<number> =>
        (await trial.ok(hashKV, { revision })).hash;
      await trial.ok(put, { key: bytes("a"), value });
      rows.put(2n, "a", row(2n, 2n, 1n) as mvcc.KeyValue);
      await trial.ok(put, { key: bytes("b"), value });
      rows.put(3n, "b", row(3n, 3n, 1n) as mvcc.KeyValue);
      await trial.ok(put, { key: bytes("a"), value });
      rows.put(4n, "a", row(2n, 4n, 2n) as mvcc.KeyValue);
      await trial.ok(deleteRange, { key: bytes("b") });
      rows.delete(5n, "b");
      await trial.ok(put, { key: bytes("b"), value });
      rows.put(6n, "b", row(6n, 6n, 1n) as mvcc.KeyValue);
      for (const revision of [1n, 2n, 3n, 4n, 5n, 6n]) {
        equal(await at(revision), rows.sum(revision));
      }
      equal(await at(0n), rows.sum(6n));
      const first = await trial.ok(hashKV, {});
      deepEqual([first.header!.revision, first.compactRevision], [6n, -1n]);

      await trial.ok(compact, { revision: 5n, physical: true });
      const second = await trial.ok(hashKV, {});
      equal(second.compactRevision, 5n);
      // Of what is not above 5, only the newest version of a key that is still there counts.
      equal(
        second.hash,
        rows.sum(6n, (main) => main > 5n || main === 4n),
      );
      await trial.refused("compacted", hashKV, { revision: 4n });
      await trial.refused("futureRevision", hashKV, { revision: 7n });
    },
  },
];

export const hashClusterCases: readonly Case[] = [
  {
    rule: "E-S2",
    name: "all members agree at the same revision",
    run: async (trial) => {
      for (let at = 0; at < 30; at += 1) await trial.put(`k${at % 7}`, `${at}`);
      const revision = await trial.put("last");
      const sums = [];
      for (const at of [0, 1, 2]) {
        await trial.ok(range, { key: trial.key("a") }, { at });
        const answer = await trial.ok(hashKV, { revision }, { at });
        sums.push([answer.hash, answer.compactRevision]);
      }
      deepEqual(sums[1], sums[0]);
      deepEqual(sums[2], sums[0]);
    },
  },
];

export const defragmentCases: readonly Case[] = [
  {
    rule: "E-RPC",
    name: "Defragment: no header (E-H1), and every row is still there",
    run: async (trial) => {
      for (let at = 0; at < 50; at += 1) await trial.put(`k${at}`, "v".repeat(100));
      const before = await trial.ok(hashKV, {});
      const answer = await trial.ok(defragment, {});
      equal(answer.header, undefined);
      const after = await trial.ok(hashKV, {});
      deepEqual([after.hash, after.header!.revision], [before.hash, before.header!.revision]);
      await trial.put("after");
    },
  },
];

export const wholeHashCases: readonly Case[] = [
  {
    rule: "E-RPC",
    name: "Hash: the sum of everything, equal when nothing changed",
    run: async (trial) => {
      const revision = await trial.put("a", "1");
      const first = await trial.ok(hash, {});
      equal(first.header!.revision, revision);
      ok(first.hash > 0);
      equal((await trial.ok(hash, {})).hash, first.hash);
    },
  },
];

export const downgradeCases: readonly Case[] = [
  {
    rule: "E-RPC",
    name: "Downgrade: validate, enable, cancel, and what is refused",
    since: "3.5",
    run: async (trial) => {
      const [, minor = 0] = trial.version.split(".").map(Number);
      const version = `3.${minor - 1}.0`;
      await trial.refused("badDowngradeVersion", downgrade, { action: VALIDATE, version: "x" });
      await trial.refused("invalidDowngradeTarget", downgrade, {
        action: VALIDATE,
        version: `3.${minor - 2}.0`,
      });
      await trial.refused("noDowngrade", downgrade, { action: CANCEL });
      for (const same of [version, `3.${minor - 1}`, `3.${minor - 1}.7`]) {
        const valid = await trial.ok(downgrade, { action: VALIDATE, version: same });
        equal(valid.version, `3.${minor}.0`);
        equal(valid.header!.revision, await trial.revision());
      }
      equal((await trial.ok(downgrade, { action: ENABLE, version })).version, `3.${minor}.0`);
      for (const action of [ENABLE, VALIDATE]) {
        await trial.refused("downgradeInFlight", downgrade, { action, version });
      }
      const bad = { action: VALIDATE, version: "3" };
      await trial.refused("badDowngradeVersion", downgrade, bad);
      equal((await trial.ok(downgrade, { action: CANCEL })).version, `3.${minor}.0`);
      await trial.refused("noDowngrade", downgrade, { action: CANCEL });
    },
  },
];
