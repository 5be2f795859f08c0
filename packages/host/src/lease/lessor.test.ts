// The lessor in a world of members that share a log (test/lease-world.ts): when a lease ends, who may end
// it, what a renewal is worth, and what a change of leaders does to all that.
import { deepEqual, equal, ok } from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import {
  AlarmAction,
  AlarmCause,
  AlarmType,
  decodeLeaseRevoke,
  encodeAlarmCommand,
  OperationKind,
} from "@quorate/kv";
import { id, LeaseWorld } from "./test/lease-world.ts";

function heardFrom(world: LeaseWorld, n: number, at: number = 0): string[] {
  const heard: string[] = [];
  world.members[at]!.renew(n, (outcome) => void heard.push(outcome));
  return heard;
}

test("a lease ends when its time is up, not before, and within a few ticks", () => {
  const world = new LeaseWorld();
  world.run(20);
  world.grant(1, 5);
  world.run(4990);
  ok(world.has(1));
  world.run(50);
  ok(!world.has(1));
});

test("a renewal counts from when it was asked, is heard when confirmed, and holds that long", () => {
  const world = new LeaseWorld();
  world.run(20);
  world.grant(1, 5);
  world.run(3000);
  const heard = heardFrom(world, 1);
  deepEqual(heard, [], "nothing is said before a quorum has spoken");
  world.run(10);
  deepEqual(heard, ["renewed 5"]);
  world.run(4980);
  ok(world.has(1));
  world.run(50);
  ok(!world.has(1));
  const late = heardFrom(world, 1);
  world.run(10);
  deepEqual(late, ["unknown"]);
});

test("a lease whose revoke is in the log is not renewed: the client hears that it has ended", () => {
  const world = new LeaseWorld();
  world.run(20);
  world.grant(1, 5);
  world.run(4990);
  world.stall(20);
  const { leader } = world;
  leader.lessor.tick();
  leader.answerBarriers();
  leader.lessor.tick();
  equal(world.pending.length, 1, "the revoke is on its way");
  const heard = heardFrom(world, 1);
  leader.answerBarriers();
  deepEqual(heard, []);
  world.commit();
  deepEqual(heard, ["unknown"]);
});

test("asked in time, confirmed late: renewed, as long as no revoke is in the log", () => {
  const world = new LeaseWorld();
  world.run(20);
  world.grant(1, 5);
  world.run(4980);
  const heard = heardFrom(world, 1);
  world.stall(100);
  world.leader.lessor.tick();
  equal(world.pending.length, 0, "its end is not confirmed yet");
  world.leader.answerBarriers();
  deepEqual(heard, ["renewed 5"]);
  world.run(4800);
  ok(world.has(1));
  world.run(200);
  ok(!world.has(1));
});

test("T3 #12528 #15247: a leader that stalled and was deposed revokes nothing", () => {
  const world = new LeaseWorld();
  world.run(20);
  world.grant(1, 5);
  world.elect(1, 0, false);
  world.run(20);
  for (let round = 0; round < 3; round++) {
    world.run(4000);
    const heard = heardFrom(world, 1, 1);
    world.run(10);
    deepEqual(heard, ["renewed 5"], "the new leader renews");
  }
  equal(world.members[0]!.leadsTerm, 1, "the old one still believes that it leads");
  ok(world.has(1));
  world.members[0]!.leadsTerm = 0;
  world.run(4000);
  ok(world.has(1));
  world.run(1200);
  ok(!world.has(1));
});

test("an old leader's renewal is not heard as one: it is asked again of the new one", () => {
  const world = new LeaseWorld();
  world.run(20);
  world.grant(1, 5);
  world.elect(1, 0, false);
  const heard = heardFrom(world, 1, 0);
  world.run(500);
  deepEqual(heard, []);
  world.members[0]!.leadsTerm = 0;
  world.run(20);
  deepEqual(heard, ["lost"]);
});

test("#9935: a revoke that was lost, or refused, is asked for again", () => {
  const world = new LeaseWorld();
  world.run(20);
  world.grant(1, 5);
  world.grant(2, 5);
  const { leader } = world;
  const alarm = (action: AlarmAction): void => {
    const memberId = "00000000000000a1";
    const command = { action, memberId, type: AlarmType.Corrupt, cause: AlarmCause.Operator };
    const record = encodeAlarmCommand({ ...command, text: "" });
    world.append(leader, OperationKind.Alarm, leader.kv.envelope("", 0, record));
    world.commit();
  };
  alarm(AlarmAction.Activate);
  world.run(6000);
  ok(world.has(1), "CORRUPT refuses it");
  alarm(AlarmAction.Deactivate);
  world.run(3100);
  ok(!world.has(1));

  world.grant(3, 5);
  world.run(4990);
  world.stall(20);
  world.leader.lessor.tick();
  world.leader.answerBarriers();
  world.leader.lessor.tick();
  equal(world.pending.length, 1);
  world.elect(1);
  world.run(5100);
  ok(!world.has(3), "the revoke went with its leader: the next one asks anew");
});

test("a new leader gives every lease its time anew, or what the log says is left", () => {
  const world = new LeaseWorld({ remainderIntervalMs: 10_000 });
  world.run(20);
  world.grant(1, 60);
  world.grant(2, 8);
  world.run(25_000);
  ok(!world.has(2));
  ok(world.has(1));
  equal(world.leader.kv.leases.get(id(1))!.owedTtlSeconds, 40, "written down twice");
  world.elect(1);
  world.run(20);
  world.run(39_900);
  ok(world.has(1));
  world.run(200);
  ok(!world.has(1));
});

test("a renewal is heard only when the log has forgotten what was left", () => {
  const world = new LeaseWorld({ remainderIntervalMs: 10_000 });
  world.run(20);
  world.grant(1, 60);
  world.run(25_000);
  const { leader } = world;
  const heard = heardFrom(world, 1);
  leader.answerBarriers();
  deepEqual(heard, []);
  equal(world.pending.length, 1);
  world.commit();
  deepEqual(heard, ["renewed 60"]);
  equal(leader.kv.leases.get(id(1))!.owedTtlSeconds, 60);
  world.run(9900);
  equal(world.log.length, 4, "grant, two remainders, and none while it is renewed often enough");
});

test("a renewal while a remainder is on its way waits for both, also when there is no room at first", () => {
  const world = new LeaseWorld({ remainderIntervalMs: 10_000 });
  world.run(20);
  world.grant(1, 60);
  world.run(9980);
  world.stall(40);
  const { leader } = world;
  leader.lessor.tick();
  equal(world.pending.length, 1, "a remainder");
  const heard = heardFrom(world, 1);
  world.full = true;
  leader.answerBarriers();
  world.commit();
  deepEqual(heard, []);
  equal(leader.kv.leases.get(id(1))!.owedTtlSeconds, 50);
  world.run(20);
  deepEqual(heard, []);
  world.full = false;
  world.run(20);
  deepEqual(heard, ["renewed 60"]);
});

test("short leases, and those that are renewed, cost no entry", () => {
  const world = new LeaseWorld({ remainderIntervalMs: 10_000 });
  world.run(20);
  world.grant(1, 9);
  world.grant(2, 60);
  for (let round = 0; round < 10; round++) {
    world.run(5000);
    heardFrom(world, 1);
    heardFrom(world, 2);
  }
  equal(world.log.length, 2);
});

test("no more than so many revokes a second, in the order of their ends", () => {
  const world = new LeaseWorld({ revokesPerSecondMax: 100 });
  world.run(20);
  for (let n = 1; n <= 300; n++) {
    world.grant(n, 5);
    world.stall(1);
  }
  world.stall(5000);
  const before = world.log.length;
  world.run(1000);
  const done = world.log.length - before;
  ok(done >= 95 && done <= 112, `${done} revokes`);
  world.run(2200);
  equal(world.leader.kv.leases.size, 0);
  const ended = world.log.slice(before).map(({ payload }) => decodeLeaseRevoke(payload, 2)!.id);
  deepEqual(ended, [...ended].toSorted(), "all were granted in the order of their ids");
});

test("a lease that a client has revoked, or granted again, is not the one whose time is up", () => {
  const world = new LeaseWorld();
  world.run(20);
  world.grant(1, 5);
  world.run(3000);
  world.revoke(1);
  world.grant(1, 5);
  world.run(4900);
  ok(world.has(1));
  world.run(150);
  ok(!world.has(1));
});

test("time to live: what is left in whole seconds, and nothing of what is not there", () => {
  const world = new LeaseWorld();
  world.run(20);
  world.grant(1, 60);
  world.run(500);
  equal(world.leader.secondsLeft(1), 59);
  world.run(58_900);
  equal(world.leader.secondsLeft(1), 0);
  equal(world.leader.secondsLeft(7), null);
});

// ---- Anything in any order ------------------------------------------------------------------------------

type Act =
  | { readonly do: "run" | "stall"; readonly ms: number }
  | { readonly do: "grant"; readonly n: number; readonly ttl: number }
  | { readonly do: "renew"; readonly n: number; readonly at: number }
  | { readonly do: "revoke"; readonly n: number }
  | { readonly do: "elect"; readonly at: number; readonly keeps: number; readonly knows: boolean }
  | { readonly do: "tick" | "barriers" | "learn"; readonly at: number }
  | { readonly do: "commit" };

const member = fc.nat(2);
const lease = fc.integer({ min: 1, max: 3 });
const act: fc.Arbitrary<Act> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant("run" as const), ms: fc.nat(3000) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("stall" as const), ms: fc.nat(20_000) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant("grant" as const),
      n: lease,
      ttl: fc.constantFrom(2, 5, 12, 30),
    }),
  },
  { weight: 8, arbitrary: fc.record({ do: fc.constant("renew" as const), n: lease, at: member }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("revoke" as const), n: lease }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant("elect" as const),
      at: member,
      keeps: fc.nat(2),
      knows: fc.boolean(),
    }),
  },
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constantFrom("tick" as const, "barriers" as const, "learn" as const),
      at: member,
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("commit" as const) }) },
);

/** What clients may rely on: of each lease until when. */
class Promises {
  readonly world: LeaseWorld;
  readonly #until: Map<number, number>;
  readonly #ttl: Map<number, number>;

  constructor(world: LeaseWorld) {
    this.world = world;
    this.#until = new Map();
    this.#ttl = new Map();
  }

  granted(n: number, ttl: number): void {
    this.#ttl.set(n, ttl);
    this.#until.set(n, this.world.nowMs + ttl * 1000);
  }

  revoked(n: number): void {
    this.#until.delete(n);
  }

  renew(n: number, at: number): void {
    const asked = this.world.nowMs;
    const grant = this.#ttl.get(n);
    this.world.members[at]!.renew(n, (outcome) => {
      if (!outcome.startsWith("renewed") || this.#ttl.get(n) !== grant) return;
      equal(outcome, `renewed ${grant}`);
      const until = this.#until.get(n);
      if (until !== undefined) this.#until.set(n, Math.max(until, asked + grant! * 1000));
    });
  }

  check(): void {
    for (const [n, until] of this.#until) {
      if (this.world.has(n)) continue;
      ok(until <= this.world.nowMs, `lease ${n} ended ${until - this.world.nowMs} ms too early`);
      this.#until.delete(n);
    }
  }
}

function perform(world: LeaseWorld, promises: Promises, taken: Act): void {
  switch (taken.do) {
    case "run":
      return world.run(taken.ms);
    case "stall":
      return world.stall(taken.ms);
    case "grant":
      world.commit();
      if (world.has(taken.n)) return;
      world.grant(taken.n, taken.ttl);
      return promises.granted(taken.n, taken.ttl);
    case "renew":
      return promises.renew(taken.n, taken.at);
    case "revoke":
      promises.revoked(taken.n);
      return world.revoke(taken.n);
    case "elect":
      return world.elect(taken.at, taken.keeps, taken.knows);
    case "tick":
      return world.members[taken.at]!.lessor.tick();
    case "barriers":
      return world.members[taken.at]!.answerBarriers();
    case "learn": {
      const learner = world.members[taken.at]!;
      if (learner !== world.leader) learner.leadsTerm = 0;
      return;
    }
    case "commit":
      return world.commit();
  }
}

test("T1 whatever happens, no lease ends before what its client was last told; T2 each ends at last", () => {
  fc.assert(
    fc.property(fc.array(act, { minLength: 5, maxLength: 120, size: "max" }), (acts) => {
      const world = new LeaseWorld({ remainderIntervalMs: 6000 });
      const promises = new Promises(world);
      for (const taken of acts) {
        perform(world, promises, taken);
        promises.check();
      }
      for (const learner of world.members) if (learner !== world.leader) learner.leadsTerm = 0;
      world.run(30_000 + 200);
      promises.check();
      equal(world.leader.kv.leases.size, 0, "nobody renews: all are gone after the longest time");
    }),
    { numRuns: 300 },
  );
});
