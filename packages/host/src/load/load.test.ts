// Method: the queue, the lag and the decisions at the door in virtual time. Goal: what there is room for
// passes untouched; a burst is none; a queue that stands refuses what makes the state larger, at once;
// what others rely on is never refused for a wait; a late process refuses in the order of
// reliability.md §6.5.
import { deepEqual, equal, ok } from "node:assert/strict";
import { test } from "node:test";
import { latin1Encode, Prng } from "@quorate/base";
import {
  encodeRangeRequest,
  encodeTxnRequest,
  OperationKind,
  RangeRequest,
  TxnRequest,
} from "@quorate/kv";
import { hostDefaults, rangeRequest } from "../host-api.ts";
import { HostEntryKind } from "../members/entry-kinds.ts";
import { Proposals, Waiter } from "../proposals.ts";
import { AskOutcome, PendingRead, ReadKind, Reads } from "../reads.ts";
import { ControlledDelay } from "./controlled-delay.ts";
import { Load } from "./load.ts";
import { LoadLevel } from "./load-level.ts";
import { LoopLag } from "./loop-lag.ts";
import { queueLimits, WriteQueue } from "./write-queue.ts";

const { Put, DeleteRange, LeaseRevoke, Compact, Auth, Alarm } = OperationKind;
const nobody = { user: "", authRevision: 0 };
const sink = { reply: () => undefined, fail: () => undefined };
const write = (kind: number = Put, bytes: number = 1): Waiter =>
  new Waiter(kind, new Uint8Array(bytes), sink, 1e9);
const wide = { count: 1e6, bytes: 1e9, idle: true };

test("controlled delay: a burst is served, a queue that stands for an interval is not", () => {
  const delay = new ControlledDelay({ targetMs: 20, intervalMs: 100 });
  // A burst: the wait falls below the target within each interval.
  for (let now = 0; now < 1000; now += 10) {
    delay.sample(now % 90 < 40 ? 80 - (now % 90) : 15, now);
    equal(delay.overloaded, false, `at ${now}`);
  }
  delay.empty();
  // Standing: told when an interval has passed, not before.
  for (let now = 2000; now < 2100; now += 10) {
    delay.sample(30, now);
    equal(delay.overloaded, false);
  }
  delay.sample(30, 2100);
  equal(delay.overloaded, true);
  delay.sample(25, 2110);
  equal(delay.overloaded, true, "until it is short");
  delay.sample(20, 2120);
  equal(delay.overloaded, false);
  delay.sample(200, 2130);
  delay.sample(200, 2229);
  equal(delay.overloaded, false);
  delay.sample(200, 2230);
  equal(delay.overloaded, true);
  delay.empty();
  equal(delay.overloaded, false);
});

test("writes that have room pass in their order, and no clock is read", () => {
  const queue = new WriteQueue();
  const kinds = [Put, LeaseRevoke, DeleteRange, Put];
  const all = kinds.map((kind) => write(kind));
  const noClock = (): number => {
    throw new Error("the clock is read");
  };
  for (const waiter of all) queue.add(waiter);
  deepEqual([queue.count, queue.bytes, queue.stands], [4, 4, false]);
  deepEqual(queue.take(wide, noClock, noRefusal), all);
  deepEqual(queue.take(wide, noClock, noRefusal), []);
  deepEqual([queue.count, queue.bytes, queue.stands], [0, 0, false]);
});

const noRefusal = (waiter: Waiter): never => {
  throw new Error(`refused: ${waiter.kind}`);
};

test("where there is no room the urgent go first, each kind in its order, within count and bytes", () => {
  const queue = new WriteQueue();
  const kinds = [Put, Put, Compact, LeaseRevoke, Auth, HostEntryKind.MemberRequest];
  const all = kinds.map((kind) => write(kind, 10));
  for (const waiter of all) queue.add(waiter);
  const take = (count: number, bytes: number, idle: boolean = false): number[] =>
    queue.take({ count, bytes, idle }, () => 0, noRefusal).map((waiter) => all.indexOf(waiter));
  deepEqual(take(0, 1000), []);
  equal(queue.stands, true);
  deepEqual(take(3, 1000), [3, 5, 2]);
  deepEqual(take(9, 9), [], "ten bytes are more than nine");
  deepEqual(take(9, 0, true), [4], "unless nothing else is on its way");
  all[0]!.answered = true;
  deepEqual(take(9, 1000), [1]);
  deepEqual([queue.count, queue.bytes, queue.stands], [0, 0, false]);
});

test("a standing queue refuses puts at once, and soon those in it; deletes after a second, revokes never", () => {
  const queue = new WriteQueue();
  const refused: Waiter[] = [];
  const full = { count: 0, bytes: 0, idle: false };
  const turn = (nowMs: number, room = full): Waiter[] =>
    queue.take(
      room,
      () => nowMs,
      (waiter) => {
        waiter.answered = true;
        refused.push(waiter);
      },
    );
  const first = [write(Put), write(DeleteRange), write(LeaseRevoke)];
  for (const waiter of first) queue.add(waiter);
  for (let now = 0; now < 130; now += 10) {
    turn(now);
    deepEqual([refused.length, queue.refuses(2)], [0, false], `at ${now}`);
  }
  turn(130);
  deepEqual(refused, [first[0]]);
  const late = write(Put);
  queue.add(late);
  turn(140);
  equal(queue.refuses(2), false, "it has only just come");
  turn(161);
  equal(queue.refuses(2), false, "a wait is none before it has lasted");
  turn(260);
  deepEqual(refused, [first[0]]);
  turn(261);
  deepEqual(refused, [first[0], late]);
  turn(queueLimits.waitMsMax - 1);
  equal(refused.length, 2);
  turn(queueLimits.waitMsMax);
  deepEqual(refused, [first[0], late, first[1]]);
  deepEqual(turn(60_000, wide), [first[2]]);
  equal(queue.stands, false);
});

test("at the door: while the queue stands and is long, puts are refused, the rest is not", () => {
  const queue = new WriteQueue();
  const refused: Waiter[] = [];
  // Ten writes come and five go in ten milliseconds; whoever is refused at the door does not come.
  let doorRefused = 0;
  let served = 0;
  const waits: number[] = [];
  const random = new Prng(1);
  for (let now = 0; now < 10_000; now += 10) {
    for (let n = 0; n < 10; n += 1) {
      const kind = random.below(20) === 0 ? DeleteRange : Put;
      if (queue.refuses(kind === Put ? 2 : 1)) doorRefused += 1;
      else queue.add(write(kind));
    }
    const taken = queue.take(
      { count: 5, bytes: 1e6, idle: false },
      () => now,
      (waiter) => {
        waiter.answered = true;
        refused.push(waiter);
      },
    );
    served += taken.length;
    for (const waiter of taken) waits.push(now - waiter.queuedMs);
  }
  equal(served, 5000, "the log never waits for work");
  ok(doorRefused + refused.length >= 4900 - 30, "what is too much was refused");
  equal(refused.filter((waiter) => waiter.kind !== Put).length, 0);
  const later = waits.slice(1000);
  ok(Math.max(...later) <= 150, `waited ${Math.max(...later)} ms`);
});

test("a burst twice as large as the room is served whole", () => {
  const queue = new WriteQueue();
  let left = 200;
  for (let n = 0; n < left; n += 1) queue.add(write());
  for (let now = 0; left > 0; now += 5) {
    left -= queue.take({ count: 12, bytes: 1e6, idle: false }, () => now, noRefusal).length;
  }
  equal(queue.stands, false);
});

test("loop lag: a pause is none, a loop that is late for a second is, a tick in time ends it", () => {
  const lag = new LoopLag(10);
  let now = 0;
  const tick = (ms: number): number => {
    now += ms;
    lag.tick(now);
    return lag.ms;
  };
  for (let n = 0; n < 300; n += 1) equal(tick(10), 0);
  for (const pause of [500, 5000, 60_000]) equal(tick(pause), 0);
  for (let n = 0; n < 300; n += 1) ok(tick(n % 3 === 0 ? 12 : 300) <= 2, "now and then in time");
  const late: number[] = [];
  for (let n = 0; n < 20; n += 1) late.push(tick(130));
  equal(late.at(-1), 120);
  ok(late[6]! <= 2, "not before a whole second");
  equal(tick(60), 50);
  equal(tick(10), 0);
});

interface Situation {
  readonly load: Load;
  readonly proposals: Proposals;
  pending: number;
  leader: number;
  nowMs: number;
}

function situation(): Situation {
  const proposals = new Proposals(1000, 1_000_000);
  const made: Situation = {
    proposals,
    pending: 0,
    leader: 1,
    nowMs: 0,
    load: new Load({
      config: { ...hostDefaults, requestsMax: 1000, requestBytesInFlightMax: 1_000_000 },
      clock: { monotonicMs: () => made.nowMs },
      proposals,
      raft: { leader: () => made.leader },
      applyPending: () => made.pending,
    }),
  };
  return made;
}

function late(made: Situation, ms: number): void {
  for (let n = 0; n < 2000 / ms + 2; n += 1) {
    made.nowMs += ms + 10;
    made.load.tick(1);
  }
}

const range = (fields: ConstructorParameters<typeof RangeRequest>[0]): Uint8Array =>
  encodeRangeRequest(new RangeRequest({ key: latin1Encode("a"), ...fields }));
const rangeEnd = latin1Encode("b");

test("a late process refuses whole ranges, then reads, then puts; never what others rely on", () => {
  const made = situation();
  const { load } = made;
  const asked = {
    range: () => load.refusesRead(rangeRequest, range({ rangeEnd })),
    wide: () => load.refusesRead(rangeRequest, range({ rangeEnd, limit: 1001 })),
    page: () => load.refusesRead(rangeRequest, range({ rangeEnd, limit: 500 })),
    count: () => load.refusesRead(rangeRequest, range({ rangeEnd, countOnly: true })),
    get: () => load.refusesRead(rangeRequest, range({})),
    readTxn: () => load.refusesRead(OperationKind.Txn, encodeTxnRequest(new TxnRequest({}))),
    put: () => load.refusesWrite(Put),
    probe: () =>
      load.refusesRead(rangeRequest, range({ serializable: true, keysOnly: true, limit: 1 })),
    delete: () => load.refusesWrite(DeleteRange),
    revoke: () => load.refusesWrite(LeaseRevoke),
    alarm: () => load.refusesWrite(Alarm),
  };
  const refused = (): string[] =>
    Object.entries(asked).flatMap(([name, ask]) => (ask() ? [name] : []));
  deepEqual(refused(), []);
  late(made, 90);
  deepEqual([load.level, refused()], [LoadLevel.None, []]);
  late(made, 110);
  deepEqual([load.level, refused()], [LoadLevel.Late, ["range", "wide"]]);
  late(made, 300);
  const reads = ["range", "wide", "page", "count", "get", "readTxn"];
  deepEqual([load.level, refused()], [LoadLevel.VeryLate, reads]);
  late(made, 600);
  deepEqual([load.level, refused()], [LoadLevel.Overloaded, [...reads, "put"]]);
  equal(load.refused, 2 + 6 + 7);
  made.nowMs += 10;
  load.tick(1);
  deepEqual([load.level, refused()], [LoadLevel.None, []]);
});

test("committed and not applied: puts are refused above the gap, the urgent above twice of it", () => {
  const made = situation();
  const refused = (): number[] =>
    [Put, DeleteRange, LeaseRevoke].filter((kind) => made.load.refusesWrite(kind));
  made.pending = 5000;
  deepEqual(refused(), []);
  made.pending = 5001;
  deepEqual(refused(), [Put]);
  made.pending = 10_001;
  deepEqual(refused(), [Put, DeleteRange, LeaseRevoke]);
});

test("a log that stands still takes nothing more after a second, where many wait and somebody leads", () => {
  const made = situation();
  const { load, proposals } = made;
  const waiters = Array.from({ length: 256 }, () => write());
  for (const waiter of waiters) equal(proposals.admit(waiter), true);
  const ticks = (count: number): void => {
    for (let n = 0; n < count; n += 1) {
      made.nowMs += 10;
      load.tick(1);
    }
  };
  ticks(99);
  equal(load.refusesWrite(Put), false);
  ticks(1);
  deepEqual(
    [Put, DeleteRange, LeaseRevoke].map((kind) => load.refusesWrite(kind)),
    [true, true, false],
  );
  made.leader = 0;
  equal(load.refusesWrite(Put), false, "there is none is what the client shall hear");
  made.leader = 1;
  proposals.reply(waiters[0]!, new Uint8Array(0));
  ticks(1);
  equal(load.refusesWrite(Put), false);
  ticks(1000);
  equal(load.refusesWrite(Put), false, "few wait");
});

test("what may be in the log is half of what may wait; the last of all places are for the urgent", () => {
  const { load, proposals } = situation();
  const admit = (kind: number): boolean => proposals.admit(write(kind, 1000), load.shareOf(kind));
  deepEqual(load.room(), { count: 500, bytes: 500_000, idle: true });
  let puts = 0;
  while (admit(Put)) puts += 1;
  equal(puts, 875);
  deepEqual(load.room(), { count: 0, bytes: 0, idle: false });
  let deletes = 0;
  while (admit(DeleteRange)) deletes += 1;
  equal(deletes, 62);
  let revokes = 0;
  while (admit(LeaseRevoke)) revokes += 1;
  equal(puts + deletes + revokes, 1000);
});

test("reads of clients leave places to what leases and health stand on", () => {
  const env = { ask: () => AskOutcome.AskedSelf, serve: () => undefined, missing: () => [] };
  const reads = new Reads(env, 10, 80);
  const read = (kind: ReadKind): boolean =>
    reads.add(new PendingRead(kind, new Uint8Array(0), sink, 1e9, nobody));
  let clients = 0;
  while (read(ReadKind.Range)) clients += 1;
  equal(clients, 70);
  equal(read(ReadKind.Txn), false);
  let barriers = 0;
  while (read(ReadKind.Barrier)) barriers += 1;
  equal(barriers, 10);
});
