// Questions about leases on their way to the leader: which way each takes, what becomes of it when the
// leader changes or an answer is lost, and when a client hears that its time is up.
import { deepEqual, equal } from "node:assert/strict";
import { test } from "node:test";
import { leaseIdOf } from "@quorate/kv";
import type { Failure } from "../host-api.ts";
import { FailureCode } from "../host-api.ts";
import { LeaseOutcome, LeaseQuestionKind } from "../peers/lease-codec.ts";
import type { LeaseAsk } from "../peers/lease-codec.ts";
import type { LeaseQuestion } from "./lease-question.ts";
import { LeaseRouting } from "./lease-routing.ts";

const id = leaseIdOf(0, 7);
const { Renew, TimeToLive } = LeaseQuestionKind;
const { Known, Unknown, NotLeader, Overloaded } = LeaseOutcome;
const timeoutTicks = 700;
const retryTicks = 100;

/** One member: the test says who leads, and answers as the lessor and as other members do. */
class Bench {
  readonly routing: LeaseRouting;
  /** This member leads. */
  leads = false;
  leader = 2;
  connected = true;
  nowTick = 0;
  /** Asked of the leader, as they came: to whom, and under which number. */
  readonly sent: [number, LeaseAsk][] = [];
  /** Answered to other members: to whom, number, outcome, time to live. */
  readonly answers: [number, number, LeaseOutcome, number][] = [];
  /** Waiting for the word of a quorum. */
  readonly confirms: ((ok: boolean) => void)[] = [];
  /** What the lessor was asked. */
  readonly served: LeaseQuestion[] = [];
  readonly heard: string[] = [];
  readonly #scheduled: (() => void)[] = [];

  constructor(questionsMax: number = 100) {
    this.routing = new LeaseRouting({
      clock: { monotonicMs: () => this.nowTick * 10 },
      raft: { isLeader: () => this.leads, leader: () => (this.leads ? 1 : this.leader) },
      talk: {
        ask: (of, ask) => {
          if (this.connected) this.sent.push([of, ask]);
          return this.connected;
        },
        answer: (to, { number, outcome, ttlSeconds }) =>
          void this.answers.push([to, number, outcome, ttlSeconds]),
      },
      lessor: {
        confirm: (done) => (this.leads ? void this.confirms.push(done) : done(false)),
        answer: (question) => void this.served.push(question),
      },
      timeoutTicks,
      retryTicks,
      questionsMax,
      missing: () => ["m3"],
      schedule: (turn) => void this.#scheduled.push(turn),
    });
  }

  ask(kind: LeaseQuestionKind = Renew): void {
    this.routing.ask(kind, id, {
      known: (ttl, granted) => void this.heard.push(`known ${ttl} ${granted}`),
      unknown: () => void this.heard.push("unknown"),
      failed: ({ code, missing }: Failure) =>
        void this.heard.push([`failed ${code}`, ...missing].join(" ")),
    });
  }

  tick(ticks: number = 1): void {
    for (let left = ticks; left > 0; left--) this.routing.tick(++this.nowTick);
  }

  schedule(): void {
    for (const turn of this.#scheduled.splice(0)) turn();
  }

  /** To the newest question sent. */
  answer(outcome: LeaseOutcome, ttlSeconds: number = 0, grantedTtlSeconds: number = 0): void {
    const { number } = this.sent.at(-1)![1];
    this.routing.answered({ number, outcome, ttlSeconds, grantedTtlSeconds });
  }
}

test("a follower asks the leader, and tells what that one answers", () => {
  const rows: [LeaseOutcome, string][] = [
    [Known, "known 5 60"],
    [Unknown, "unknown"],
    [Overloaded, `failed ${FailureCode.TooManyRequests}`],
  ];
  for (const [outcome, expected] of rows) {
    const bench = new Bench();
    bench.ask(TimeToLive);
    deepEqual(bench.sent, [[2, { number: 1, kind: TimeToLive, id }]]);
    bench.answer(outcome, 5, 60);
    bench.answer(outcome, 6, 60);
    deepEqual(bench.heard, [expected], "one answer");
  }
});

test("the leader asks its lessor, once a quorum has spoken after the question", () => {
  const bench = new Bench();
  bench.leads = true;
  bench.nowTick = 7;
  bench.ask();
  deepEqual([bench.sent.length, bench.served.length], [0, 0]);
  bench.confirms[0]!(true);
  equal(bench.served[0]!.askedMs, 70);
  bench.served[0]!.known(60, 60);
  deepEqual(bench.heard, ["known 60 60"]);
});

test("who led when it was asked, and does not any more, asks the next leader", () => {
  const bench = new Bench();
  bench.leads = true;
  bench.ask();
  bench.leads = false;
  bench.leader = 0;
  bench.confirms[0]!(false);
  bench.tick(50);
  deepEqual(bench.sent, [], "there is none yet");
  bench.leader = 3;
  bench.tick();
  deepEqual(bench.sent, [[3, { number: 1, kind: Renew, id }]]);
  bench.answer(Known, 60, 60);
  deepEqual(bench.heard, ["known 60 60"]);
});

test("also out of the lessor's own waiting room", () => {
  const bench = new Bench();
  bench.leads = true;
  bench.ask();
  bench.confirms[0]!(true);
  bench.leads = false;
  bench.served[0]!.lost();
  bench.tick();
  bench.answer(Unknown);
  deepEqual(bench.heard, ["unknown"]);
});

test("asked again: of another leader, when it leads no more, and when no answer comes", () => {
  const bench = new Bench();
  bench.ask();
  bench.leader = 3;
  bench.tick(20);
  deepEqual(
    bench.sent.map(([to, { number }]) => [to, number]),
    [
      [2, 1],
      [3, 2],
    ],
  );
  bench.answer(NotLeader);
  bench.tick();
  equal(bench.sent.length, 3);
  bench.tick(retryTicks + 20);
  equal(bench.sent.length, 4);
  bench.routing.answered({ number: 1, outcome: Known, ttlSeconds: 1, grantedTtlSeconds: 1 });
  deepEqual(bench.heard, [], "an answer to what is no longer asked");
  bench.answer(Known, 60, 60);
  deepEqual(bench.heard, ["known 60 60"]);
  bench.tick(2 * retryTicks);
  equal(bench.sent.length, 4, "answered questions are not asked again");
});

test("its time is up: without a leader the members that are missed are named", () => {
  const rows: [number, string][] = [
    [0, `failed ${FailureCode.NoLeader} m3`],
    [2, `failed ${FailureCode.TimedOut}`],
  ];
  for (const [leader, expected] of rows) {
    const bench = new Bench();
    bench.leader = leader;
    bench.ask();
    bench.tick(timeoutTicks - 1);
    deepEqual(bench.heard, []);
    bench.tick();
    deepEqual(bench.heard, [expected]);
    bench.tick(300);
  }
});

test("who is not connected to the leader waits and tries again", () => {
  const bench = new Bench();
  bench.connected = false;
  bench.ask();
  bench.tick(5);
  bench.connected = true;
  bench.tick();
  equal(bench.sent.length, 1);
});

test("another member's question is answered by the leader, under its number", () => {
  const bench = new Bench();
  bench.leads = true;
  const answered: ((question: LeaseQuestion) => void)[] = [
    (question) => question.known(9, 60),
    (question) => question.unknown(),
    (question) => question.lost(),
  ];
  for (const [at, answer] of answered.entries()) {
    bench.routing.asked(3, { number: 40 + at, kind: Renew, id });
    bench.confirms[at]!(true);
    answer(bench.served[at]!);
  }
  bench.routing.asked(3, { number: 50, kind: Renew, id });
  bench.confirms[3]!(false);
  bench.leads = false;
  bench.routing.asked(3, { number: 51, kind: Renew, id });
  deepEqual(bench.answers, [
    [3, 40, Known, 9],
    [3, 41, Unknown, 0],
    [3, 42, NotLeader, 0],
    [3, 50, NotLeader, 0],
    [3, 51, NotLeader, 0],
  ]);
});

test("so many questions at one time, own and others'; past it each hears so, later", () => {
  const bench = new Bench(2);
  bench.leads = true;
  bench.ask();
  bench.routing.asked(3, { number: 40, kind: Renew, id });
  bench.ask();
  deepEqual(bench.heard, [], "never inside the question");
  bench.schedule();
  deepEqual(bench.heard, [`failed ${FailureCode.TooManyRequests}`]);
  bench.routing.asked(3, { number: 41, kind: Renew, id });
  deepEqual(bench.answers, [[3, 41, Overloaded, 0]]);
  bench.confirms[0]!(true);
  bench.served[0]!.known(60, 60);
  bench.ask();
  equal(bench.confirms.length, 3);
});

test("a member that stops tells everybody so, and takes nothing more", () => {
  const bench = new Bench();
  bench.ask();
  bench.routing.stop();
  bench.ask();
  bench.schedule();
  deepEqual(bench.heard, [`failed ${FailureCode.Stopped}`, `failed ${FailureCode.Stopped}`]);
});
