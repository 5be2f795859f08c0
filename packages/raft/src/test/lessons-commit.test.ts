// Lessons 10 to 14 of raft-lessons.md: what is committed, and who is told.
import assert from "node:assert/strict";
import { test } from "node:test";
import { ConfChangeSingle, ConfChangeType, ConfTransition } from "../conf-change.ts";
import { Entry, EntryKind } from "../entry.ts";
import { MessageType } from "../message.ts";
import { ProposeOutcome } from "../raft-api.ts";
import { ConfState } from "../types.ts";
import { Story } from "./story.ts";

test("lesson 10: entries of older terms are not committed by counting", () => {
  const conf = new ConfState([1, 2, 3], [], [], [], false);
  const story = new Story([]);
  // One entry a message, so that 2 acknowledges each by itself.
  story.add(1, { messageBytesMax: 40, inflightMessagesMax: 1 }, conf, [1, 2, 2]);
  story.add(2, {}, conf, [1]);
  story.add(3, {}, conf, [1]);
  const { node } = story.get(1);
  node.campaign();
  const matches = new Map<number, number>();
  for (let i = 0; i < 40 && node.core.log.committed === 0; i++) {
    story.ready(1);
    story.deliver(2);
    story.ready(2);
    story.deliver(1);
    const match = node.status().progress.find((progress) => progress.id === 2)?.match ?? 0;
    if (match > 0) matches.set(match, node.core.log.committed);
  }
  // Majorities up to 2 and 3 (of term 2) commit nothing; up to 4 (of the leader's term) all.
  assert.deepEqual(
    [...matches],
    [
      [2, 0],
      [3, 0],
      [4, 4],
    ],
  );
});

test("lesson 11: a leader's empty entry has no payload, is no proposal and is never refused", () => {
  const story = new Story([1, 2, 3], { uncommittedBytesMax: 1 });
  story.elect(1);
  const entry = story.get(1).node.core.log.tail.at(1);
  assert.equal(entry.kind, EntryKind.Empty);
  assert.equal(entry.payload.length, 0);
  // Uncommitted and not counted: one proposal of any size is let in (lesson 46).
  story.cluster.crash(2);
  story.cluster.crash(3);
  assert.equal(story.propose(1, "too long for the limit"), ProposeOutcome.Accepted);
  assert.equal(story.propose(1, "a"), ProposeOutcome.Overloaded);
});

test("lesson 12: a heartbeat never tells a commit index that the follower has not matched", () => {
  const story = new Story([1, 2, 3]);
  story.elect(1);
  story.propose(1, "a", "b");
  story.settle(1, 2);
  story.drop(3);
  story.tick(1, 10);
  story.ready(1);
  assert.equal(story.sent(MessageType.Heartbeat, 2)[0]!.commit, 3);
  assert.equal(story.sent(MessageType.Heartbeat, 3)[0]!.commit, 1);
});

test("lesson 13: a follower commits up to the last entry that the message brought, not up to its own", () => {
  const story = new Story([1, 2, 3]);
  story.elect(1);
  const member = story.get(2);
  const brought = story.message(MessageType.AppendEntries, 1, 2, 1);
  brought.index = 1;
  brought.logTerm = 1;
  brought.entries = [2, 3, 4].map((index) => new Entry(1, index, 16, 1, 0, new Uint8Array(0)));
  member.node.step(brought);
  assert.equal(member.node.lastIndex(), 4);
  // A later leader knows only entry 2 of these to be equal, and has committed further.
  const later = story.message(MessageType.AppendEntries, 3, 2, 2);
  later.index = 1;
  later.logTerm = 1;
  later.entries = [new Entry(1, 2, 16, 1, 0, new Uint8Array(0))];
  later.commit = 9;
  member.node.step(later);
  assert.equal(member.node.status().committed, 2);
  assert.equal(member.node.lastIndex(), 4);
});

test("lesson 14: a smaller quorum commits what it has at once, and tells it", () => {
  const story = new Story([1, 2, 3, 4]);
  story.elect(1);
  const leader = story.get(1);
  leader.asyncApply = true;
  const remove = new ConfChangeSingle(ConfChangeType.Remove, 4);
  assert.equal(story.change(1, ConfTransition.Auto, remove), ProposeOutcome.Accepted);
  story.settle(1, 2, 3);
  story.propose(1, "a");
  story.settle(1, 2);
  assert.equal(leader.node.status().committed, 2, "the change is committed, `a` is on two of four");
  story.drop();
  leader.applyOne();
  assert.equal(leader.node.status().committed, 3, "two of three");
  story.ready(1);
  assert(story.sent(MessageType.AppendEntries, 2).some((message) => message.commit === 3));
});
