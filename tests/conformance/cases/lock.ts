// Lock and Election: queues of keys under leases. Who came first has it; who leaves, or whose lease ends,
// makes room for the next.
import { deepEqual, equal, ok } from "node:assert/strict";
import { election, etcd, lock } from "@quorate/proto";
import { eventually } from "../../processes/eventually.ts";
import type { Case } from "../suite/case.ts";
import type { Trial } from "../suite/trial.ts";

const { leaseGrant, leaseRevoke } = etcd.Lease.method;
const { range } = etcd.KV.method;
const locks = lock.Lock.method;
const elections = election.Election.method;

async function lease(trial: Trial): Promise<bigint> {
  const { ID } = await trial.ok(leaseGrant, { TTL: 60n });
  trial.after(() => trial.wire.unary(leaseRevoke, { ID }));
  return ID;
}

/** The places in a queue, in order. */
async function places(trial: Trial, name: string): Promise<string[]> {
  const key = Buffer.from(`${name}/`);
  const rangeEnd = Buffer.from(`${name}0`);
  const { kvs } = await trial.ok(range, { key, rangeEnd, sortTarget: 2, sortOrder: 1 });
  return kvs.map((kv) => Buffer.from(kv.key).toString());
}

const placeOf = (name: string, id: bigint): string => `${name}/${id.toString(16)}`;

export const lockCases: readonly Case[] = [
  {
    rule: "E-LOCK",
    name: "a lock is a key under its lease; the same lease has it again; the next one waits for unlock",
    run: async (trial) => {
      const name = Buffer.from("lock-a");
      const [first, second] = [await lease(trial), await lease(trial)];
      const held = await trial.ok(locks.lock, { name, lease: first });
      equal(Buffer.from(held.key).toString(), placeOf("lock-a", first));
      const again = await trial.ok(locks.lock, { name, lease: first });
      deepEqual(again.key, held.key);
      const waiting = trial.ok(locks.lock, { name, lease: second });
      await eventually(
        "two in the queue",
        async () => (await places(trial, "lock-a")).length === 2,
      );
      const { header } = await trial.ok(locks.unlock, { key: held.key });
      const next = await waiting;
      equal(Buffer.from(next.key).toString(), placeOf("lock-a", second));
      ok(next.header!.revision >= header!.revision);
      await trial.ok(locks.unlock, { key: next.key });
      deepEqual(await places(trial, "lock-a"), []);
    },
  },
  {
    rule: "E-LOCK",
    name: "a lease that is revoked lets the next one in; a lease that there is not is refused",
    run: async (trial) => {
      const name = Buffer.from("lock-b");
      const [first, second] = [await lease(trial), await lease(trial)];
      await trial.ok(locks.lock, { name, lease: first });
      const waiting = trial.ok(locks.lock, { name, lease: second });
      await eventually(
        "two in the queue",
        async () => (await places(trial, "lock-b")).length === 2,
      );
      await trial.ok(leaseRevoke, { ID: first });
      const next = await waiting;
      deepEqual(await places(trial, "lock-b"), [placeOf("lock-b", second)]);
      await trial.ok(locks.unlock, { key: next.key });
      const { end } = await trial.wire.unary(locks.lock, { name, lease: 987_654_321n });
      deepEqual([end.code, end.text], [2, "etcdserver: requested lease not found"]);
      deepEqual(await places(trial, "lock-b"), []);
    },
  },
  {
    rule: "E-LOCK",
    name: "who names no lease gets one; who goes away while it waits leaves the queue",
    run: async (trial) => {
      const name = Buffer.from("lock-c");
      const held = await trial.ok(locks.lock, { name });
      const second = await lease(trial);
      const waiting = trial.members[0]!.stream(locks.lock);
      waiting.send({ name, lease: second });
      await eventually(
        "two in the queue",
        async () => (await places(trial, "lock-c")).length === 2,
      );
      waiting.call.cancel();
      await eventually("one is left", async () => (await places(trial, "lock-c")).length === 1);
      await trial.ok(locks.unlock, { key: held.key });
    },
  },
];

export const electionCases: readonly Case[] = [
  {
    rule: "E-ELECT",
    name: "campaign, leader, proclaim, observe, resign: the next one leads",
    run: async (trial) => {
      const name = Buffer.from("elect-a");
      const [first, second] = [await lease(trial), await lease(trial)];
      const none = await trial.wire.unary(elections.leader, { name });
      deepEqual([none.end.code, none.end.text], [2, "election: no leader"]);
      const observing = trial.members[0]!.stream(elections.observe);
      trial.after(() => observing.call.cancel());
      observing.send({ name });
      const observed = async (): Promise<string> => {
        const told = await observing.next();
        return Buffer.from(told.kv!.value).toString();
      };
      const one = await trial.ok(elections.campaign, {
        name,
        lease: first,
        value: Buffer.from("one"),
      });
      const { key, lease: leaseOfLeader, rev } = one.leader!;
      deepEqual(
        [Buffer.from(key).toString(), leaseOfLeader, Buffer.from(one.leader!.name).toString()],
        [placeOf("elect-a", first), first, "elect-a"],
      );
      equal(await observed(), "one");
      const waiting = trial.ok(elections.campaign, {
        name,
        lease: second,
        value: Buffer.from("two"),
      });
      await eventually("two stand", async () => (await places(trial, "elect-a")).length === 2);
      const led = await trial.ok(elections.leader, { name });
      deepEqual(
        [Buffer.from(led.kv!.value).toString(), led.kv!.createRevision, led.kv!.lease],
        ["one", rev, first],
      );
      await trial.ok(elections.proclaim, { leader: one.leader!, value: Buffer.from("one more") });
      equal(await observed(), "one more");
      await trial.ok(elections.resign, { leader: one.leader! });
      const two = await waiting;
      equal(await observed(), "two");
      const late = await trial.wire.unary(elections.proclaim, {
        leader: one.leader!,
        value: Buffer.from("late"),
      });
      deepEqual([late.end.code, late.end.text], [2, "election: not leader"]);
      await trial.ok(elections.resign, { leader: two.leader! });
      observing.call.cancel();
    },
  },
  {
    rule: "E-ELECT",
    name: "a leader that is not named",
    run: async (trial) => {
      for (const method of [elections.proclaim, elections.resign]) {
        const { end } = await trial.wire.unary(method as typeof elections.resign, {});
        deepEqual([end.code, end.text], [2, '"leader" field must be provided']);
      }
    },
  },
];
