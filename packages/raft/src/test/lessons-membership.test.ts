// Lessons 28 to 36 of raft-lessons.md, and P2: configuration changes.
import assert from "node:assert/strict";
import { test } from "node:test";
import { ConfChange, ConfChangeSingle, ConfChangeType, ConfTransition } from "../conf-change.ts";
import { encodeConfChange } from "../confchange/codec.ts";
import { Entry, EntryKind } from "../entry.ts";
import { MessageType } from "../message.ts";
import { ProposeOutcome } from "../raft-api.ts";
import { Role } from "../types.ts";
import { Story } from "./story.ts";

const add = (id: number): ConfChangeSingle => new ConfChangeSingle(ConfChangeType.AddVoter, id);
const learn = (id: number): ConfChangeSingle => new ConfChangeSingle(ConfChangeType.AddLearner, id);
const remove = (id: number): ConfChangeSingle => new ConfChangeSingle(ConfChangeType.Remove, id);

test("lesson 28: one change at a time, and it takes effect at apply", () => {
  const story = new Story([1, 2, 3, 4], { voters: [1, 2, 3] });
  story.elect(1);
  story.get(1).asyncApply = true;
  assert.equal(story.change(1, ConfTransition.Auto, add(4)), ProposeOutcome.Accepted);
  story.settle();
  const { node } = story.get(1);
  assert.equal(node.status().committed, 2);
  assert.deepEqual(node.status().confState.voters, [1, 2, 3], "committed, not applied");
  assert.equal(story.change(1, ConfTransition.Auto, learn(5)), ProposeOutcome.ConfChangePending);
  story.get(1).applyOne();
  assert.deepEqual(node.status().confState.voters, [1, 2, 3, 4]);
  assert.equal(story.change(1, ConfTransition.Auto, learn(5)), ProposeOutcome.Accepted);
});

test("lesson 28: a change that an earlier leader left in the log blocks another one until it is applied", () => {
  const story = new Story([1, 2, 3, 4], { voters: [1, 2, 3] });
  story.elect(1);
  story.change(1, ConfTransition.Auto, add(4));
  story.ready(1);
  story.deliver(2);
  story.ready(2);
  story.cluster.crash(1);
  story.get(2).asyncApply = true;
  story.elect(2);
  assert.equal(story.change(2, ConfTransition.Auto, learn(5)), ProposeOutcome.ConfChangePending);
  while (story.get(2).applyOne());
  assert.equal(story.change(2, ConfTransition.Auto, learn(5)), ProposeOutcome.Accepted);
});

test("lesson 29: who has not applied a committed change does not campaign, nor obeys TimeoutNow", () => {
  const story = new Story([1, 2, 3, 4], { voters: [1, 2, 3] });
  story.elect(1);
  story.get(2).asyncApply = true;
  story.change(1, ConfTransition.Auto, add(4));
  story.settle();
  story.drop();
  const { node } = story.get(2);
  story.tick(2, 1000);
  assert.equal(node.core.role, Role.Follower);
  node.step(story.message(MessageType.TimeoutNow, 1, 2, 1));
  assert.equal(node.core.role, Role.Follower);
  while (story.get(2).applyOne());
  node.step(story.message(MessageType.TimeoutNow, 1, 2, 1));
  assert.equal(node.core.role, Role.Candidate);
});

test("lesson 29: a change that is only in the log does not keep anybody from campaigning", () => {
  const story = new Story([1, 2, 3, 4], { voters: [1, 2, 3] });
  story.elect(1);
  story.change(1, ConfTransition.Auto, add(4));
  story.ready(1);
  story.deliver(2);
  story.ready(2);
  story.cluster.crash(1);
  story.elect(2);
  assert(story.get(2).node.isLeader());
});

test("lesson 29: a restart applies committed changes before it campaigns", () => {
  const story = new Story([1, 2, 3, 4], { voters: [1, 2, 3] });
  story.elect(1);
  story.change(1, ConfTransition.Auto, add(4));
  story.settle();
  story.pass(10);
  const member = story.get(2);
  member.restart({});
  member.asyncApply = true;
  story.ready(2);
  member.node.campaign();
  assert.equal(member.node.core.role, Role.Follower);
  while (member.applyOne());
  member.node.campaign();
  assert.equal(member.node.core.role, Role.PreCandidate);
  assert.deepEqual(member.node.status().confState.voters, [1, 2, 3, 4]);
});

test("lesson 30: a rejected or unfitting change changes nothing, and the next one may come", () => {
  const story = new Story([1, 2, 3, 4], { voters: [1, 2, 3] });
  story.elect(1);
  const leader = story.get(1);
  leader.asyncApply = true;
  story.change(1, ConfTransition.Auto, add(4));
  story.settle();
  leader.toApply.shift();
  leader.node.confChangeRejected();
  leader.appliedIndex++;
  leader.node.applied(2);
  assert.deepEqual(leader.node.status().confState.voters, [1, 2, 3]);
  assert.equal(story.change(1, ConfTransition.Auto, learn(4)), ProposeOutcome.Accepted);

  // A leave outside a joint phase, forced into a follower's log: every member alike ignores it.
  const other = new Story([1, 2, 3]);
  other.elect(1);
  const leave = new ConfChange(ConfTransition.Leave, [], new Uint8Array(0));
  const append = other.message(MessageType.AppendEntries, 1, 2, 1);
  append.index = 1;
  append.logTerm = 1;
  append.commit = 2;
  append.entries = [new Entry(1, 2, EntryKind.ConfChange, 1, 0, encodeConfChange(leave))];
  other.get(2).node.step(append);
  other.ready(2);
  assert.equal(other.get(2).node.status().applied, 2);
  assert.deepEqual(other.get(2).node.status().confState.voters, [1, 2, 3]);
});

test("lesson 30: a change that the configuration does not allow is refused when it is proposed", () => {
  const story = new Story([1, 2, 3]);
  story.elect(1);
  const pending = ProposeOutcome.ConfChangePending;
  assert.equal(story.change(1, ConfTransition.Leave), pending);
  assert.equal(story.change(1, ConfTransition.Rollback), pending);
  assert.equal(story.change(1, ConfTransition.Auto, remove(1), remove(2), remove(3)), pending);
  assert.equal(story.get(1).node.lastIndex(), 1);
});

test("lesson 31: the leave of a joint phase is never refused for size", () => {
  const story = new Story([1, 2, 3, 4, 5], { voters: [1, 2, 3], uncommittedBytesMax: 40 });
  story.elect(1);
  story.change(1, ConfTransition.Auto, add(4), add(5));
  story.ready(1);
  story.propose(1, "as much as is allowed, and more");
  assert.equal(story.propose(1, "x"), ProposeOutcome.Overloaded);
  story.settle();
  assert.deepEqual(story.get(1).node.status().confState.votersOutgoing, []);
  assert.deepEqual(story.get(1).node.status().confState.voters, [1, 2, 3, 4, 5]);
});

test("lesson 31: a transfer does not lose the leave: the next leader, or this one later, proposes it", () => {
  const story = new Story([1, 2, 3, 4, 5], { voters: [1, 2, 3] });
  story.elect(1);
  story.get(1).asyncApply = true;
  story.change(1, ConfTransition.Auto, add(4), add(5));
  story.settle();
  story.cluster.crash(3);
  story.get(1).node.transferLeadership(3);
  while (story.get(1).applyOne());
  assert.equal(story.get(1).node.core.log.confChangeInFlight, false, "not during the transfer");
  story.get(1).asyncApply = false;
  story.pass(101);
  assert.deepEqual(story.get(1).node.status().confState.votersOutgoing, []);
});

test("lesson 32: while joint, votes and commits need both halves", () => {
  const story = new Story([1, 2, 3, 4, 5], { voters: [1, 2, 3] });
  story.elect(1);
  const singles = [add(4), add(5), remove(2), remove(3)];
  story.change(1, ConfTransition.JointExplicit, ...singles);
  story.settle();
  const { node } = story.get(1);
  story.propose(1, "a");
  story.settle(1, 4, 5);
  assert.equal(node.status().committed, 2, "the incoming half alone");
  story.settle(1, 2);
  assert.equal(node.status().committed, 3);

  story.settle();
  story.cluster.crash(1);
  const core = story.get(4).node.core;
  for (const id of [2, 3, 5]) story.get(id).node.core.electionElapsed = 1000;
  story.cluster.groups = [
    [4, 5],
    [2, 3],
  ];
  story.get(4).node.campaign();
  story.settle();
  assert.equal(core.role, Role.PreCandidate, "4 and 5 alone");
  story.cluster.groups = null;
  story.get(4).node.campaign();
  story.settle();
  assert.equal(core.role, Role.Leader);
});

test("lesson 33: a leader that removes itself gets the commit out before it leaves", () => {
  const story = new Story([1, 2]);
  story.elect(1);
  story.change(1, ConfTransition.Auto, remove(1));
  story.settle(1);
  assert.equal(story.get(1).node.status().committed, 1);
  story.settle();
  assert.deepEqual(story.get(1).node.status().confState.voters, [2]);
  assert(story.get(1).node.isLeader(), "2 has not said yet that it has applied it");
  assert.equal(story.propose(1, "a"), ProposeOutcome.NotLeader, "but it takes nothing new");
  story.pass(10);
  assert(!story.get(1).node.isLeader());
  story.pass(1);
  assert(story.get(2).node.isLeader());
});

test("lesson 34, P2: a removed leader leads until a majority of the new voters has durably applied it", () => {
  const story = new Story([1, 2, 3, 4], { voters: [1, 2, 3], learners: [4] });
  story.elect(1);
  story.get(3).asyncApply = true;
  story.get(4).asyncApply = true;
  story.change(1, ConfTransition.JointAutoLeave, add(4), remove(1));
  story.settle();
  story.pass(30);
  const { node } = story.get(1);
  assert.deepEqual(node.status().confState.voters, [2, 3, 4]);
  assert(node.isLeader(), "only 2 of {2, 3, 4} has applied it");
  assert(node.appliedByQuorum() < 3);
  while (story.get(3).applyOne());
  story.get(3).asyncApply = false;
  story.pass(11);
  assert(!node.isLeader());
  const leaders = story.cluster.up.filter((member) => member.node.isLeader());
  assert.equal(leaders.length, 1, "it has handed over: nobody waits for an election timeout");
});

test("lesson 34: a leader that is demoted goes on while the phase is joint", () => {
  const story = new Story([1, 2, 3]);
  story.elect(1);
  story.change(1, ConfTransition.JointExplicit, learn(1));
  story.settle();
  story.pass(200);
  assert(story.get(1).node.isLeader(), "it still votes in the outgoing half");
  story.change(1, ConfTransition.Leave);
  story.settle();
  story.pass(30);
  assert(!story.get(1).node.isLeader());
  assert.deepEqual(story.get(1).node.status().confState.learners, [1]);
});

test("P2: what counts as applied survives a power loss of the voter that says so", () => {
  const story = new Story([1, 2, 3, 4], { voters: [1, 2, 3] });
  story.elect(1);
  story.change(1, ConfTransition.Auto, add(4));
  story.settle();
  story.pass(10);
  assert.equal(story.get(1).node.appliedByQuorum(), 2);
  for (const id of [2, 3, 4]) {
    const member = story.get(id);
    member.losePower();
    assert(member.disk.hardState.commit >= 2, "an applied change forces a synced batch");
  }
});

test("lesson 35: a new leader changes nothing before it has committed in its term", () => {
  const story = new Story([1, 2, 3, 4], { voters: [1, 2, 3] });
  story.elect(1);
  story.cluster.groups = [[2, 3]];
  const next = story.get(2).node;
  for (const id of [2, 3]) story.get(id).node.core.electionElapsed = 1000;
  next.campaign();
  while (!next.isLeader()) {
    story.ready(2);
    story.deliver(3);
    story.ready(3);
    story.deliver(2);
  }
  assert.equal(story.change(2, ConfTransition.Auto, add(4)), ProposeOutcome.ConfChangePending);
  story.settle();
  assert.equal(story.change(2, ConfTransition.Auto, add(4)), ProposeOutcome.Accepted);
});

test("lesson 36: a learner receives everything and counts for nothing", () => {
  const story = new Story([1, 2, 3], { voters: [1, 2], learners: [3] });
  story.elect(1);
  story.cluster.crash(2);
  story.propose(1, "a");
  story.settle();
  const progress = story
    .get(1)
    .node.status()
    .progress.find((p) => p.id === 3)!;
  assert.equal(progress.match, 2, "what a promotion is judged by");
  assert.equal(story.get(1).node.status().committed, 1);
  story.tick(3, 1000);
  assert.equal(story.get(3).node.core.role, Role.Follower);
});

test("P2: an unknown member's messages are stepped", () => {
  const story = new Story([1, 2, 3, 9], { voters: [1, 2, 3] });
  story.elect(1);
  story.propose(1, "a");
  story.settle();
  // 9 became leader in a configuration that 2 has yet to learn of.
  const append = story.message(MessageType.AppendEntries, 9, 2, 7);
  append.index = 2;
  append.logTerm = 1;
  append.entries = [new Entry(7, 3, EntryKind.Empty, 1, 0, new Uint8Array(0))];
  append.commit = 3;
  story.get(2).node.step(append);
  story.ready(2);
  assert.equal(story.get(2).node.leader(), 9);
  assert.equal(story.get(2).node.status().committed, 3);
});

test("P2: who holds the entry that ends a joint phase durably knows that the one that began it is committed", () => {
  const story = new Story([1, 2, 3, 4], { voters: [1, 2, 3], learners: [4] });
  story.elect(1);
  story.change(1, ConfTransition.JointAutoLeave, add(4), remove(3));
  story.settle();
  for (const id of [1, 2, 4]) {
    const member = story.get(id);
    const { entries, baseIndex } = member.disk;
    assert.equal(baseIndex + entries.length, 3, "the leave is there");
    // Whatever batch brought it, a power loss right after it would leave at least this.
    assert(member.disk.syncedHardState.commit >= 2);
  }

  // The batch itself, not a later one.
  const held = new Story([1, 2, 3, 4], { voters: [1, 2, 3], learners: [4] });
  held.elect(1);
  const follower = held.get(2);
  follower.asyncDisk = true;
  follower.asyncApply = true;
  held.change(1, ConfTransition.JointAutoLeave, add(4), remove(3));
  held.settle();
  while (follower.batches.length > 0) {
    const batch = follower.batches[0]!;
    const isLeave = batch.entries.some((entry) => entry.index === 3);
    assert(!isLeave || batch.hardState.commit >= 2);
    follower.persistOne(held.cluster.send);
    held.settle();
  }
  assert.equal(follower.disk.entries.length, 3);
});
