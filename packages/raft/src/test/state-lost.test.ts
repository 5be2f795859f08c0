// A member whose state is damaged and whose log is not (reliability.md §3.3 row 14): it keeps its
// promises, leads nobody, and takes the state of a snapshot that its log holds.
import assert from "node:assert/strict";
import { test } from "node:test";
import { MessageType } from "../message.ts";
import { StepOutcome } from "../raft-api.ts";
import type { Checkpoint, TestMember } from "./member.ts";
import { Story } from "./story.ts";

/** As the leader's host would send it: beside the core's own messages. */
function offer(story: Story, from: TestMember, to: TestMember): number {
  const content = from.disk.checkpoint as Checkpoint;
  const message = story.message(MessageType.InstallSnapshot, from.id, to.id, from.node.term());
  message.snapshot = content.meta;
  return to.step(message, content);
}

/** 1 leads; 2 has lost its state after it had applied "a" and "b". */
function begin(): Story {
  const story = new Story([1, 2, 3]);
  story.elect(1);
  story.propose(1, "a");
  story.propose(1, "b");
  story.settle();
  story.pass(20);
  assert.equal(story.get(2).appliedIndex, 3);
  story.get(2).node.stateLost();
  story.get(2).asyncApply = true;
  return story;
}

test("it acknowledges and votes, and leads nobody", () => {
  const story = begin();
  story.propose(1, "c");
  story.settle(1, 2);
  assert.equal(story.get(1).node.status().committed, 4, "its acknowledgement is the majority");
  story.tick(2, 500);
  assert.equal(story.sent(MessageType.PreVote).length, 0);
  story.pass(20);
  story.elect(3);
  assert(story.get(3).node.isLeader());
});

test("a leader that loses its state steps down", () => {
  const story = new Story([1, 2, 3]);
  story.elect(1);
  story.get(1).node.stateLost();
  assert(!story.get(1).node.isLeader());
});

test("a state that its log holds is installed, and the log goes on behind it", () => {
  const story = begin();
  story.propose(1, "c");
  story.settle();
  story.get(1).checkpoint();
  story.propose(1, "d");
  story.settle();
  const member = story.get(2);
  assert.equal(offer(story, story.get(1), member), StepOutcome.Handled);
  story.ready(2);
  assert.equal(member.appliedIndex, 4, "the snapshot's state");
  assert.equal(member.disk.entries.length, 5, "nothing that was acknowledged is gone");
  assert.equal(member.node.lastIndex(), 5);
  member.asyncApply = false;
  story.ready(2);
  assert.deepEqual(
    member.applied.map(({ text }) => text),
    story.get(1).applied.map(({ text }) => text),
  );
  story.elect(2);
  assert(member.node.isLeader(), "it may lead again");
});

test("a state below what it had applied is no use", () => {
  const story = new Story([1, 2, 3]);
  story.elect(1);
  story.propose(1, "a");
  story.settle();
  story.get(1).checkpoint();
  story.propose(1, "b");
  story.settle();
  story.pass(20);
  const member = story.get(2);
  member.node.stateLost();
  assert.equal(offer(story, story.get(1), member), StepOutcome.IgnoredStale);
  story.ready(2);
  assert.equal(member.disk.checkpoint, null);
});

test("without a loss a snapshot of what the log holds installs nothing", () => {
  const story = new Story([1, 2, 3]);
  story.elect(1);
  story.propose(1, "a");
  story.settle();
  story.get(1).checkpoint();
  assert.equal(offer(story, story.get(1), story.get(2)), StepOutcome.Handled);
  story.ready(2);
  assert.equal(story.get(2).disk.checkpoint, null);
});
