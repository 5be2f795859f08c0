// Leases: grant, revoke, keep-alive, what is left of them, and the keys that go with them.
import { deepEqual, equal, ok } from "node:assert/strict";
import { etcd } from "@quorate/proto";
import { eventually } from "../../processes/eventually.ts";
import type { Case } from "../suite/case.ts";
import { nameOf } from "../suite/rows.ts";
import type { Trial } from "../suite/trial.ts";
import { plainEvent, Watching } from "../suite/watching.ts";
import type { WireStream } from "../wire/wire-client.ts";
import { answerTimeoutMs } from "../wire/wire-client.ts";

const { leaseGrant, leaseKeepAlive, leaseLeases, leaseRevoke, leaseTimeToLive } = etcd.Lease.method;
const { range, put, deleteRange, txn } = etcd.KV.method;
const { alarm, status } = etcd.Maintenance.method;

/** A lease of a minute, gone when the case ends. */
async function granted(trial: Trial, TTL: bigint = 60n): Promise<bigint> {
  const { ID } = await trial.ok(leaseGrant, { TTL });
  trial.after(() => trial.wire.unary(leaseRevoke, { ID }));
  return ID;
}

type KeepAlive = WireStream<
  typeof etcd.LeaseKeepAliveRequestSchema,
  typeof etcd.LeaseKeepAliveResponseSchema
>;

function keepAlive(trial: Trial, at: number = 0): KeepAlive {
  const stream = trial.members[at]!.stream(leaseKeepAlive);
  trial.after(() => stream.call.cancel());
  return stream;
}

async function keysOf(trial: Trial, ID: bigint): Promise<string> {
  const { keys } = await trial.ok(leaseTimeToLive, { ID, keys: true });
  return keys
    .map((key) => nameOf(trial, key))
    .sort()
    .join(" ");
}

export const leaseCases: readonly Case[] = [
  {
    rule: "E-L1",
    name: "a grant: an id of the server's or the client's, the time it asked for, no revision made",
    run: async (trial) => {
      const before = await trial.put("a");
      const own = await trial.ok(leaseGrant, { TTL: 100n });
      ok(own.ID > 0n);
      deepEqual([own.TTL, own.error, own.header!.revision], [100n, "", before]);
      const chosen = await trial.ok(leaseGrant, { TTL: 100n, ID: 4_611_686_018_427_387_905n });
      equal(chosen.ID, 4_611_686_018_427_387_905n);
      await trial.refused("leaseExists", leaseGrant, { TTL: 5n, ID: own.ID });
      await trial.refused("leaseExists", leaseGrant, { TTL: 100n, ID: chosen.ID });
      await trial.ok(leaseRevoke, { ID: own.ID });
      await trial.ok(leaseRevoke, { ID: chosen.ID });
      await trial.unchanged(before);
    },
  },
  {
    rule: "E-L1",
    name: "too short a time is raised to 2 s, too long a time is refused",
    run: async (trial) => {
      for (const TTL of [1n, 0n, -5n]) {
        const { ID, TTL: given } = await trial.ok(leaseGrant, { TTL });
        equal(given, 2n);
        await trial.ok(leaseRevoke, { ID });
      }
      const { ID, TTL } = await trial.ok(leaseGrant, { TTL: 9_000_000_000n });
      equal(TTL, 9_000_000_000n);
      await trial.ok(leaseRevoke, { ID });
      await trial.refused("leaseTtlTooLarge", leaseGrant, { TTL: 9_000_000_001n });
    },
  },
  {
    rule: "E-L1",
    name: "an id below zero is an id",
    run: async (trial) => {
      const { ID } = await trial.ok(leaseGrant, { TTL: 100n, ID: -7n });
      equal(ID, -7n);
      await trial.put("a", "1", { lease: -7n });
      const { kvs } = await trial.ok(range, { key: trial.key("a") });
      equal(kvs[0]!.lease, -7n);
      await trial.ok(leaseRevoke, { ID });
      equal((await trial.ok(range, { key: trial.key("a") })).count, 0n);
    },
  },
  {
    rule: "E-L2",
    name: "what is left: granted, remaining, keys when asked; an unknown lease is answered with -1",
    run: async (trial) => {
      const ID = await granted(trial, 100n);
      await trial.put("b", "", { lease: ID });
      const rev = await trial.put("a", "", { lease: ID });
      const answer = await trial.ok(leaseTimeToLive, { ID });
      deepEqual(
        [answer.ID, answer.grantedTTL, answer.keys.length, answer.header!.revision],
        [ID, 100n, 0, rev],
      );
      ok(answer.TTL > 0n && answer.TTL <= 100n);
      equal(await keysOf(trial, ID), "a b");
      const unknown = await trial.ok(leaseTimeToLive, { ID: 0x7777n, keys: true });
      deepEqual(
        [unknown.ID, unknown.TTL, unknown.grantedTTL, unknown.keys.length],
        [0x7777n, -1n, 0n, 0],
      );
      equal(unknown.header!.revision, rev);
    },
  },
  {
    rule: "E-L2",
    name: "the list of leases",
    run: async (trial) => {
      const ids = [await granted(trial), await granted(trial)];
      const { leases, header } = await trial.ok(leaseLeases, {});
      const listed = leases.map(({ ID }) => ID);
      for (const ID of ids) ok(listed.includes(ID));
      equal(header!.revision, await trial.revision());
      await trial.ok(leaseRevoke, { ID: ids[0]! });
      const rest = (await trial.ok(leaseLeases, {})).leases.map(({ ID }) => ID);
      deepEqual([rest.includes(ids[0]!), rest.includes(ids[1]!)], [false, true]);
    },
  },
  {
    rule: "E-L2",
    name: "revoke: its keys go in one revision; without keys none is made; unknown: not found",
    run: async (trial) => {
      const ID = await granted(trial);
      const watching = new Watching(trial);
      await watching.create();
      for (const name of ["c", "a", "b"]) await trial.put(name, "", { lease: ID });
      await watching.events(3);
      const before = await trial.put("kept");
      await watching.events(1);
      const { header } = await trial.ok(leaseRevoke, { ID });
      equal(header!.revision, before + 1n);
      const { events } = await watching.next();
      deepEqual(
        events.map((event) => plainEvent(trial, event)),
        ["a", "b", "c"].map((name) => `delete ${name} @${before + 1n}`),
      );
      await trial.refused("leaseNotFound", leaseRevoke, { ID });
      const empty = await granted(trial);
      await trial.ok(leaseRevoke, { ID: empty });
      await trial.unchanged(before + 1n);
    },
  },
  {
    rule: "E-L2",
    name: "a key is with one lease at a time: another put, a delete or another lease takes it away",
    run: async (trial) => {
      const [one, two] = [await granted(trial), await granted(trial)];
      for (const name of ["a", "b", "c", "d"]) await trial.put(name, "1", { lease: one });
      await trial.put("a", "2");
      await trial.put("b", "2", { lease: two });
      await trial.put("c", "2", { ignoreLease: true });
      await trial.ok(deleteRange, { key: trial.key("d") });
      deepEqual([await keysOf(trial, one), await keysOf(trial, two)], ["c", "b"]);
      await trial.put("d", "3");
      await trial.ok(leaseRevoke, { ID: one });
      const rest = { key: trial.key(""), rangeEnd: trial.prefixEnd() };
      const { kvs } = await trial.ok(range, rest);
      deepEqual(
        kvs.map((row) => [nameOf(trial, row.key), row.lease]),
        [
          ["a", 0n],
          ["b", two],
          ["d", 0n],
        ],
      );
    },
  },
  {
    rule: "E-T2",
    name: "a compare with the lease of a key, and a put with a lease inside a transaction",
    run: async (trial) => {
      const lease = await granted(trial);
      const key = trial.key("a");
      await trial.ok(txn, {
        success: [{ request: { case: "requestPut", value: { key, lease } } }],
      });
      const target = etcd.Compare_CompareTarget.LEASE;
      for (const [value, holds] of [
        [lease, true],
        [lease + 1n, false],
      ] as const) {
        const targetUnion = { case: "lease", value } as const;
        const { succeeded } = await trial.ok(txn, { compare: [{ key, target, targetUnion }] });
        equal(succeeded, holds);
      }
      equal(await keysOf(trial, lease), "a");
    },
  },
  {
    rule: "E-L3",
    name: "keep-alive: the full time again, answers in order, unknown ones with 0",
    run: async (trial) => {
      const [one, two] = [await granted(trial, 50n), await granted(trial, 70n)];
      const rev = await trial.put("a");
      const stream = keepAlive(trial);
      for (const ID of [one, two, 0x7777n, one]) stream.send({ ID });
      const answers = [];
      for (let count = 0; count < 4; count += 1) answers.push(await stream.next());
      deepEqual(
        answers.map(({ ID, TTL, header }) => [ID, TTL, header!.revision]),
        [
          [one, 50n, rev],
          [two, 70n, rev],
          [0x7777n, 0n, rev],
          [one, 50n, rev],
        ],
      );
    },
  },
  {
    rule: "E-W7",
    name: "the client's half-close ends a keep-alive stream, after its last answer",
    run: async (trial) => {
      const ID = await granted(trial);
      const stream = keepAlive(trial);
      stream.send({ ID });
      stream.call.halfClose();
      const { messages, end } = await stream.rest();
      deepEqual([messages.length, end.code], [1, 0]);
    },
  },
  {
    rule: "E-L3",
    name: "a lease that is not kept alive ends; its keys go in one revision; one that is kept stays",
    run: async (trial) => {
      const { ID: dies } = await trial.ok(leaseGrant, { TTL: 2n });
      const lives = await granted(trial, 2n);
      await trial.put("kept", "", { lease: lives });
      for (const name of ["b", "a"]) await trial.put(name, "", { lease: dies });
      const watching = new Watching(trial);
      await watching.create({ key: trial.key(""), rangeEnd: trial.prefixEnd() });
      const stream = keepAlive(trial);
      const pings = setInterval(() => stream.send({ ID: lives }), 300);
      trial.after(() => clearInterval(pings));
      const { events } = await watching.next();
      const rev = events[0]!.kv!.modRevision;
      deepEqual(
        events.map((event) => plainEvent(trial, event)),
        [`delete a @${rev}`, `delete b @${rev}`],
      );
      equal((await trial.ok(leaseTimeToLive, { ID: dies })).TTL, -1n);
      await trial.refused("leaseNotFound", put, { key: trial.key("a"), lease: dies });
      const { count } = await trial.ok(range, { key: trial.key("kept") });
      equal(count, 1n);
      equal((await stream.next()).TTL, 2n);
    },
  },
  {
    rule: "E-ERR",
    name: "NOSPACE refuses a grant",
    run: async (trial) => {
      const memberID = (await trial.ok(status, {})).header!.memberId;
      const { ACTIVATE, DEACTIVATE } = etcd.AlarmRequest_AlarmAction;
      const noSpace = { memberID, alarm: etcd.AlarmType.NOSPACE };
      await trial.ok(alarm, { action: ACTIVATE, ...noSpace });
      trial.after(() => trial.wire.unary(alarm, { action: DEACTIVATE, ...noSpace }));
      await trial.refused("noSpace", leaseGrant, { TTL: 60n });
    },
  },
];

export const leaseClusterCases: readonly Case[] = [
  {
    rule: "E-L4",
    name: "grant, keep-alive, time to live, list and revoke at every member",
    run: async (trial) => {
      const ID = (await trial.ok(leaseGrant, { TTL: 60n }, { at: 1 })).ID;
      await trial.put("a", "", { lease: ID });
      for (const at of [0, 1, 2]) {
        const stream = keepAlive(trial, at);
        stream.send({ ID });
        const answer = await stream.next();
        const { header } = await trial.ok(range, { key: trial.key("a") }, { at });
        deepEqual([answer.ID, answer.TTL, answer.header!.memberId], [ID, 60n, header!.memberId]);
        const left = await trial.ok(leaseTimeToLive, { ID, keys: true }, { at });
        deepEqual([left.grantedTTL, left.keys.length], [60n, 1]);
        ok(left.TTL > 0n && left.TTL <= 60n);
        equal((await trial.ok(leaseLeases, {}, { at })).leases.length, 1);
      }
      await trial.ok(leaseRevoke, { ID }, { at: 2 });
      for (const at of [0, 1, 2]) {
        equal((await trial.ok(range, { key: trial.key("a") }, { at })).count, 0n);
        await trial.refused("leaseNotFound", leaseRevoke, { ID }, { at });
      }
    },
  },
  {
    rule: "E-L3",
    name: "a new leader keeps the lease for its full time, then ends it",
    own: { members: 3 },
    run: async (trial) => {
      const { ID } = await trial.ok(leaseGrant, { TTL: 4n });
      await trial.put("a", "", { lease: ID });
      const ids = [];
      for (const at of [0, 1, 2]) ids.push((await trial.ok(status, {}, { at })).header!.memberId);
      const leader = ids.indexOf((await trial.ok(status, {})).leader);
      const survivor = (leader + 1) % 3;
      await trial.servers.kill(leader);
      const key = trial.key("a");
      const left = await eventually("a new leader", async () => {
        const { message } = await trial.members[survivor]!.unary(leaseTimeToLive, { ID });
        return message;
      });
      ok(left.TTL > 0n, "ended early");
      equal((await trial.ok(range, { key }, { at: survivor })).count, 1n);
      await eventually("the lease ends", async () => {
        return (await trial.ok(range, { key }, { at: survivor })).count === 0n;
      });
    },
  },
  {
    rule: "E-W7",
    name: "a keep-alive stream with hasleader ends when nobody leads",
    own: { members: 3 },
    run: async (trial) => {
      const { ID } = await trial.ok(leaseGrant, { TTL: 60n });
      const stream = trial.members[0]!.stream(leaseKeepAlive, { hasleader: "true" });
      trial.after(() => stream.call.cancel());
      stream.send({ ID });
      await stream.next();
      await trial.servers.kill(1);
      await trial.servers.kill(2);
      trial.isError("noLeader", await stream.call.ended(answerTimeoutMs));
    },
  },
];
