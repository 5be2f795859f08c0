// Writes forwarded to the leader: who is answered when, above all when the leader is gone.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Forwards } from "./forwards.ts";
import { FailureCode } from "./host-api.ts";
import type { Failure } from "./host-api.ts";
import { ForwardOutcome } from "./peers/peers-api.ts";
import type { PeersApi } from "./peers/peers-api.ts";
import { Proposals, Waiter } from "./proposals.ts";

const graceTicks = 25;

interface Bench {
  readonly forwards: Forwards;
  readonly proposals: Proposals;
  readonly heard: string[];
  readonly send: (leader: number, name: string) => void;
}

function bench(): Bench {
  const heard: string[] = [];
  const proposals = new Proposals(10, 1000);
  const peers = { forwardProposal: () => true } as unknown as PeersApi;
  const forwards = new Forwards(peers, proposals, () => [], graceTicks);
  const send = (leader: number, name: string): void => {
    const sink = {
      reply: () => void heard.push(`${name} ok`),
      fail: (failure: Failure) => void heard.push(`${name} ${failure.code}`),
    };
    const waiter = new Waiter(16, new Uint8Array(1), sink, 10_000);
    assert.ok(proposals.admit(waiter));
    forwards.send(leader, waiter);
  };
  return { forwards, proposals, heard, send };
}

test("a leader that leads no more has a little time to answer; then the outcome is unknown", () => {
  for (const nextLeader of [0, 2]) {
    const { forwards, heard, send } = bench();
    send(1, "a");
    for (let tick = 1; tick <= 200; tick += 1) forwards.tick(tick, 1);
    assert.deepEqual(heard, [], "a leader that leads is waited for");
    for (let tick = 201; tick <= 201 + graceTicks; tick += 1) forwards.tick(tick, nextLeader);
    assert.deepEqual(heard, []);
    for (let tick = 227; tick <= 260; tick += 1) forwards.tick(tick, nextLeader);
    assert.deepEqual(heard, [`a ${FailureCode.TimedOut}`]);
    forwards.answered(1, ForwardOutcome.NotLeader, 0, 0, 0);
    assert.equal(heard.length, 1, "one answer");
  }
});

test("an answer within that time counts: appended entries are waited for, refusals are told", () => {
  const { forwards, proposals, heard, send } = bench();
  send(1, "appended");
  send(1, "refused");
  forwards.tick(10, 2);
  forwards.answered(1, ForwardOutcome.Appended, 5, 1, 4);
  forwards.answered(2, ForwardOutcome.NotLeader, 0, 0, 4);
  for (let tick = 11; tick <= 100; tick += 1) forwards.tick(tick, 2);
  assert.deepEqual(heard, [`refused ${FailureCode.NoLeader}`]);
  const waiter = proposals.take(5, 1);
  assert.ok(waiter !== null);
  proposals.reply(waiter, new Uint8Array(0));
  assert.equal(heard[1], "appended ok");
});

test("writes to the new leader are not taken for those to the old one, also after ticks that jump", () => {
  const { forwards, heard, send } = bench();
  send(1, "old");
  forwards.tick(7, 1);
  forwards.tick(23, 2);
  send(2, "new");
  forwards.tick(51, 2);
  assert.deepEqual(heard, [`old ${FailureCode.TimedOut}`]);
  for (let tick = 52; tick <= 300; tick += 7) forwards.tick(tick, 2);
  assert.equal(heard.length, 1);
});

test("a leader that is back in time is waited for again", () => {
  const { forwards, heard, send } = bench();
  send(1, "a");
  for (let tick = 1; tick <= 20; tick += 1) forwards.tick(tick, 0);
  for (let tick = 21; tick <= 40; tick += 1) forwards.tick(tick, 1);
  for (let tick = 41; tick <= 60; tick += 1) forwards.tick(tick, 0);
  assert.deepEqual(heard, []);
});
