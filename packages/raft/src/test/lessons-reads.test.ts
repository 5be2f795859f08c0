// Lessons 15 to 18 of raft-lessons.md: linearizable reads. (17: reads by lease are not built.)
import assert from "node:assert/strict";
import { test } from "node:test";
import { ConfChangeSingle, ConfChangeType, ConfTransition } from "../conf-change.ts";
import { MessageType } from "../message.ts";
import { ReadOutcome } from "../raft-api.ts";
import { Story } from "./story.ts";

test("lesson 15: a new leader holds reads until it has committed in its term, and does not lose them", () => {
  const story = new Story([1, 2, 3]);
  story.elect(1);
  story.cluster.crash(3);
  story.get(1).node.campaign();
  const next = story.get(2);
  story.cluster.crash(1);
  story.cluster.get(3).restart({});
  story.cluster.hello(2, 3);
  next.node.core.electionElapsed = 1000;
  next.node.campaign();
  while (!next.node.isLeader()) {
    story.ready(2);
    story.deliver(3);
    story.ready(3);
    story.deliver(2);
  }
  assert.equal(next.node.readIndex(5), ReadOutcome.Accepted);
  story.ready(2);
  assert.equal(story.sent(MessageType.Heartbeat).length, 0, "no round yet");
  assert.deepEqual(next.reads, []);
  story.settle();
  assert.deepEqual(next.reads, [{ context: 5, index: 2 }]);
});

test("lesson 16: every round has a number of its own, and only answers to it or a later one count", () => {
  const story = new Story([1, 2, 3]);
  story.elect(1);
  const leader = story.get(1);
  leader.node.readIndex(1);
  story.ready(1);
  const [first] = story.sent(MessageType.Heartbeat, 2);
  story.drop();
  leader.node.readIndex(2);
  story.ready(1);
  const [second] = story.sent(MessageType.Heartbeat, 2);
  assert(second!.number > first!.number);
  story.drop();
  const late = story.message(MessageType.HeartbeatResponse, 2, 1, 1);
  late.number = first!.number;
  leader.node.step(late);
  story.ready(1);
  assert.deepEqual(leader.reads, [{ context: 1, index: 1 }], "the second round is not answered");
  late.number = second!.number;
  leader.node.step(late);
  story.ready(1);
  assert.deepEqual(leader.reads.at(-1), { context: 2, index: 1 });
});

test("lesson 16: reads are dropped with leadership, and a new term starts from nothing", () => {
  const story = new Story([1, 2, 3]);
  story.elect(1);
  const leader = story.get(1);
  leader.node.readIndex(1);
  story.ready(1);
  leader.node.readIndex(2);
  leader.node.step(story.message(MessageType.Heartbeat, 2, 1, 2));
  story.ready(1);
  assert.deepEqual(leader.readsDropped, [1, 2]);
  assert.equal(leader.node.readIndex(3), ReadOutcome.NotLeader);
});

test("lesson 16: an answer of a voter's former process confirms nothing (P4)", () => {
  const story = new Story([1, 2, 3]);
  story.elect(1);
  const leader = story.get(1);
  leader.node.readIndex(1);
  story.ready(1);
  story.deliver(2);
  story.ready(2);
  leader.node.peerSession(2, 999, 1, 1);
  story.deliver(1);
  story.ready(1);
  assert.deepEqual(leader.reads, []);
});

test("lesson 16: an answer meant for another process of the leader is ignored (P4)", () => {
  const story = new Story([1, 2, 3]);
  story.elect(1);
  const leader = story.get(1);
  leader.node.readIndex(1);
  story.ready(1);
  const foreign = story.message(MessageType.HeartbeatResponse, 2, 1, 1);
  foreign.number = 1_000_000;
  foreign.toSession = 12_345;
  leader.node.step(foreign);
  story.ready(1);
  assert.deepEqual(leader.reads, []);
});

test("lesson 18: the index of a read is never older than what was committed when it was asked", () => {
  const story = new Story([1, 2, 3]);
  story.elect(1);
  const leader = story.get(1);
  leader.node.readIndex(1);
  story.propose(1, "a");
  story.settle();
  leader.node.readIndex(2);
  story.settle();
  assert.deepEqual(leader.reads, [
    { context: 1, index: 1 },
    { context: 2, index: 2 },
  ]);
});

test("lesson 32: in a joint configuration a read needs both halves", () => {
  const story = new Story([1, 2, 3, 4, 5], { voters: [1, 2, 3] });
  story.elect(1);
  story.change(
    1,
    ConfTransition.JointExplicit,
    new ConfChangeSingle(ConfChangeType.Remove, 2),
    new ConfChangeSingle(ConfChangeType.Remove, 3),
    new ConfChangeSingle(ConfChangeType.AddVoter, 4),
    new ConfChangeSingle(ConfChangeType.AddVoter, 5),
  );
  story.settle();
  const leader = story.get(1);
  leader.node.readIndex(1);
  story.settle(1, 4, 5);
  assert.deepEqual(leader.reads, [], "the incoming half alone");
  story.settle(1, 2);
  assert.equal(leader.reads.length, 1);
});

test("reads beyond the bound are refused", () => {
  const story = new Story([1, 2, 3], { pendingReadsMax: 2 });
  story.elect(1);
  const { node } = story.get(1);
  assert.equal(node.readIndex(1), ReadOutcome.Accepted);
  assert.equal(node.readIndex(2), ReadOutcome.Accepted);
  assert.equal(node.readIndex(3), ReadOutcome.Overloaded);
  story.settle();
  assert.equal(node.readIndex(4), ReadOutcome.Accepted);
});
