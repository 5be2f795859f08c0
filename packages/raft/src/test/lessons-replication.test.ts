// Lessons 37 to 48 of raft-lessons.md: probes, windows, snapshots, refused proposals.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Entry, entryBytes } from "../entry.ts";
import { MessageType } from "../message.ts";
import { ProposeOutcome, StepOutcome } from "../raft-api.ts";
import { ProgressKind } from "../status.ts";
import type { ProgressStatus } from "../status.ts";
import { ConfState, SnapshotMeta } from "../types.ts";
import { Story } from "./story.ts";

function progressOf(story: Story, leader: number, id: number): ProgressStatus {
  const found = story
    .get(leader)
    .node.status()
    .progress.find((progress) => progress.id === id);
  assert(found !== undefined);
  return found;
}

function follower(story: Story): ProgressStatus {
  return progressOf(story, 1, 3);
}

test("lesson 37: late and doubled refusals change nothing", () => {
  const story = new Story([1, 2, 3]);
  story.elect(1);
  story.propose(1, "a");
  story.settle();
  const refusal = story.message(MessageType.AppendResponse, 3, 1, 1);
  refusal.reject = true;
  refusal.index = 2;
  story.get(1).node.step(refusal);
  assert.equal(follower(story).kind, ProgressKind.Replicate, "of what is known to match");
  story.get(1).node.peerUnreachable(3);
  refusal.index = 9;
  story.get(1).node.step(refusal);
  assert.equal(follower(story).next, 3, "of a probe that is not out");
});

test("lesson 38: the hint skips a divergent term at a time, on both sides", () => {
  const conf = new ConfState([1, 2, 3], [], [], [], false);
  const story = new Story([]);
  const long = (count: number, term: number): number[] => Array.from({ length: count }, () => term);
  story.add(1, {}, conf, [1, ...long(50, 2), 5]);
  story.add(2, {}, conf, [1, ...long(50, 2), 5]);
  story.add(3, {}, conf, [1, ...long(20, 3), ...long(20, 4)]);
  story.get(1).node.campaign();
  story.settle(1, 2);
  let appends = 0;
  for (let round = 0; round < 20; round++) {
    appends += story.sent(MessageType.AppendEntries, 3).length;
    story.deliver(3);
    story.ready(3);
    story.deliver(1);
    story.ready(1);
  }
  assert.deepEqual(story.terms(3), story.terms(1));
  assert(appends <= 5, `${appends} appends where 40 entries differ`);
});

test("lesson 39: a probe is one message per heartbeat, a stream is not", () => {
  const story = new Story([1, 2, 3]);
  story.elect(1);
  story.get(1).node.peerUnreachable(3);
  story.ready(1);
  story.drop();
  for (const text of ["a", "b", "c"]) {
    story.propose(1, text);
    story.ready(1);
  }
  assert.equal(story.sent(MessageType.AppendEntries, 3).length, 0);
  assert.equal(story.sent(MessageType.AppendEntries, 2).length, 3);
  story.tick(1, 10);
  story.settle();
  assert.equal(follower(story).kind, ProgressKind.Replicate);
});

test("lesson 40: the answer to a heartbeat unsticks a probe that has nothing to send", () => {
  const story = new Story([1, 2, 3]);
  story.elect(1);
  story.get(1).node.peerUnreachable(3);
  story.ready(1);
  story.drop();
  assert.equal(follower(story).kind, ProgressKind.Probe);
  assert.equal(follower(story).match, story.get(1).node.lastIndex());
  story.tick(1, 10);
  story.settle();
  assert.equal(follower(story).kind, ProgressKind.Replicate);
});

test("lesson 41: a full window that was lost is found by an empty append; bytes are freed too", () => {
  const payload = "x".repeat(100);
  const bytes = entryBytes(new Entry(1, 1, 16, 1, 0, new Uint8Array(100)));
  const story = new Story([1, 2, 3], { inflightBytesMax: 2 * bytes, messageBytesMax: bytes });
  story.elect(1);
  for (let i = 0; i < 5; i++) {
    story.propose(1, payload);
    story.ready(1);
  }
  assert.equal(follower(story).inflightMessages, 2, "the window by bytes");
  story.drop(3);
  story.settle(1, 2);
  assert.equal(progressOf(story, 1, 2).inflightBytes, 0);
  story.tick(1, 10);
  story.settle();
  assert.equal(follower(story).match, 6);
  assert.equal(follower(story).inflightBytes, 0);
});

test("lesson 41: a window that was lost is found although the log has been compacted past it", () => {
  const story = new Story([1, 2, 3], { inflightMessagesMax: 1 });
  story.elect(1);
  story.propose(1, "a");
  story.ready(1);
  story.drop(3);
  story.propose(1, "b");
  story.settle(1, 2);
  story.drop(3);
  story.get(1).checkpoint();
  story.get(1).compact(3);
  story.pass(10);
  assert.equal(follower(story).match, 3);
});

test("lesson 42: snapshots go to members that answer; nothing else is sent meanwhile; any answer ends it", () => {
  const story = new Story([1, 2, 3]);
  story.elect(1);
  story.cluster.crash(3);
  for (const text of ["a", "b", "c"]) story.propose(1, text);
  story.settle();
  story.get(1).checkpoint();
  story.get(1).compact(4);
  story.pass(101);
  story.cluster.get(3).restart({});
  story.cluster.hello(1, 3);
  story.ready(1);
  assert.equal(story.sent(MessageType.InstallSnapshot).length, 0, "it has not answered for T");
  story.tick(1, 10);
  story.ready(1);
  story.deliver(3);
  story.ready(3);
  story.deliver(1);
  story.ready(1);
  assert.equal(story.sent(MessageType.InstallSnapshot).length, 1);
  story.propose(1, "d");
  story.ready(1);
  story.tick(1, 10);
  story.ready(1);
  assert.equal(story.sent(MessageType.AppendEntries, 3).length, 0, "nothing but the snapshot");
  // Its log got there by other means: the answer is not about the snapshot's index.
  const answer = story.message(MessageType.AppendResponse, 3, 1, 1);
  answer.index = 5;
  story.get(1).node.step(answer);
  assert.equal(follower(story).kind, ProgressKind.Replicate);
  assert.equal(follower(story).next, 6);
});

test("lesson 42: an answer below the log does not end the snapshot state", () => {
  const story = new Story([1, 2, 3]);
  story.elect(1);
  story.propose(1, "a");
  story.settle(1, 2);
  story.drop(3);
  story.get(1).checkpoint();
  story.get(1).compact(2);
  story.get(1).node.peerSession(3, 999, 1, 1);
  story.ready(1);
  assert.equal(follower(story).kind, ProgressKind.Snapshot);
  const answer = story.message(MessageType.AppendResponse, 3, 1, 1);
  answer.session = 999;
  answer.index = 1;
  story.get(1).node.step(answer);
  assert.equal(follower(story).kind, ProgressKind.Snapshot);
  assert.equal(follower(story).match, 1);
});

test("lesson 43: a snapshot that the log holds moves the commit index and nothing else", () => {
  const story = new Story([1, 2, 3]);
  story.elect(1);
  const member = story.get(2);
  const brought = story.message(MessageType.AppendEntries, 1, 2, 1);
  brought.index = 1;
  brought.logTerm = 1;
  brought.entries = [2, 3, 4].map((index) => new Entry(1, index, 16, 1, 0, new Uint8Array(0)));
  member.node.step(brought);
  story.ready(2);
  const install = story.message(MessageType.InstallSnapshot, 1, 2, 1);
  install.snapshot = new SnapshotMeta(3, 1, member.conf, 7);
  member.node.step(install);
  const before = member.batches.length;
  story.ready(2);
  assert.equal(member.node.status().committed, 3);
  assert.equal(member.node.lastIndex(), 4, "what stands behind it stays");
  assert.equal(member.node.status().firstIndex, 1);
  assert.equal(member.batches.length, before);
  assert.equal(story.sent(MessageType.AppendResponse).at(-1)!.index, 3);
});

test("lesson 43: a snapshot that does not name the receiver, or is of the past, is not installed", () => {
  const story = new Story([1, 2, 3]);
  story.elect(1);
  const member = story.get(2);
  const install = story.message(MessageType.InstallSnapshot, 1, 2, 1);
  install.snapshot = new SnapshotMeta(9, 1, new ConfState([1, 3], [], [], [], false), 7);
  assert.equal(member.node.step(install), StepOutcome.IgnoredStale);
  install.snapshot = new SnapshotMeta(1, 1, member.conf, 7);
  assert.equal(member.node.step(install), StepOutcome.Handled);
  story.ready(2);
  assert.equal(member.node.lastIndex(), 1);
  assert.equal(story.sent(MessageType.AppendResponse).at(-1)!.index, 1, "what is committed here");
});

test("lesson 43: no snapshot goes to a follower that it does not name", () => {
  const story = new Story([1, 2, 3, 4], { voters: [1, 2, 3], learners: [] });
  story.elect(1);
  story.propose(1, "a");
  story.settle(1, 2);
  story.drop();
  const leader = story.get(1);
  leader.node.snapshotCreated(new SnapshotMeta(2, 1, new ConfState([1, 2], [], [], [], false), 7));
  leader.node.compacted(2);
  assert(!leader.node.peerSession(3, 999, 1, 1));
  story.ready(1);
  assert.equal(story.sent(MessageType.InstallSnapshot).length, 0);
  assert.equal(follower(story).kind, ProgressKind.Probe);
});

test("lesson 44: two snapshots in quick succession install in order", () => {
  const story = new Story([1, 2, 3]);
  const member = story.get(2);
  member.asyncDisk = true;
  for (const index of [5, 9]) {
    const install = story.message(MessageType.InstallSnapshot, 1, 2, 1);
    install.snapshot = new SnapshotMeta(index, 1, member.conf, index);
    member.step(install, { meta: install.snapshot, applied: [] });
    story.ready(2);
  }
  assert.equal(member.batches.length, 2);
  member.persistOne(story.cluster.send);
  member.check();
  member.node.campaign();
  assert.equal(member.node.status().term, 1, "not promotable while the second is pending");
  member.persistOne(story.cluster.send);
  assert.equal(member.node.status().applied, 9);
  assert.equal(member.disk.baseIndex, 9);
});

test("lesson 45: without a snapshot the probe pauses until the next answer, and does not spin", () => {
  const story = new Story([1, 2, 3]);
  story.elect(1);
  story.propose(1, "a");
  story.settle(1, 2);
  story.drop();
  const { node } = story.get(1);
  node.compacted(2);
  assert(!node.peerSession(3, 999, 1, 1));
  story.ready(1);
  assert.equal(story.sent(MessageType.AppendEntries, 3).length, 0);
  assert(!node.hasReady(), "nothing to do until it answers");
  assert.equal(follower(story).kind, ProgressKind.Probe);
});

test("lesson 46: an entry larger than a message goes alone, a proposal above the limit is refused", () => {
  const story = new Story([1, 2, 3], { messageBytesMax: 100, proposalBytesMax: 500 });
  story.elect(1);
  story.propose(1, "small", "x".repeat(400), "small");
  story.ready(1);
  assert.deepEqual(
    story.sent(MessageType.AppendEntries, 2).map((message) => message.entries.length),
    [1, 1, 1],
  );
  story.settle();
  assert.equal(story.get(3).appliedIndex, 4);
  assert.equal(story.propose(1, "y".repeat(501)), ProposeOutcome.TooLarge);
  assert.equal(story.get(1).node.lastIndex(), 4);
});

test("lesson 46: the uncommitted limit lets one in, counts what is inherited, and ends at zero", () => {
  const story = new Story([1, 2, 3], { uncommittedBytesMax: 100 });
  story.elect(1);
  story.cluster.groups = [[1, 2], [3]];
  assert.equal(story.propose(1, "x".repeat(200)), ProposeOutcome.Accepted);
  assert.equal(story.propose(1, "y"), ProposeOutcome.Overloaded);
  story.ready(1);
  story.deliver(2);
  story.ready(2);
  story.cluster.crash(1);
  story.cluster.groups = null;
  story.elect(2);
  const { state } = story.get(2).node.core;
  assert(state.role === 4);
  assert.equal(state.uncommittedBytes, 0);
  assert.equal(story.propose(2, "y"), ProposeOutcome.Accepted);
});

test("lesson 48: proposals are refused without leadership, and while it is handed over", () => {
  const story = new Story([1, 2, 3]);
  assert.equal(story.propose(1, "a"), ProposeOutcome.NotLeader);
  story.elect(1);
  assert.equal(story.propose(2, "a"), ProposeOutcome.NotLeader);
  story.cluster.crash(2);
  story.get(1).node.transferLeadership(2);
  assert.equal(story.propose(1, "a"), ProposeOutcome.Transferring);
});

test("lesson 48: an overwritten proposal is dead only when another entry is committed in its place", () => {
  const story = new Story([1, 2, 3, 4, 5]);
  story.elect(1);
  story.cluster.groups = [
    [1, 2],
    [3, 4, 5],
  ];
  story.propose(1, "survives");
  story.ready(1);
  story.deliver(2);
  story.ready(2);
  // 5 leads term 2 and overwrites it at 1, but commits nothing; then 2, which has it, leads term 3.
  const overwrite = story.message(MessageType.AppendEntries, 5, 1, 2);
  overwrite.index = 1;
  overwrite.logTerm = 1;
  overwrite.entries = [new Entry(2, 2, 0, 1, 0, new Uint8Array(0))];
  story.get(1).node.step(overwrite);
  story.ready(1);
  assert.deepEqual(story.terms(1), [1, 2]);
  assert.deepEqual(story.get(1).dropped, []);
  story.cluster.groups = null;
  for (const id of [2, 3, 4]) story.get(id).node.core.becomeFollower(2, 0);
  story.cluster.groups = [
    [2, 3, 4],
    [1, 5],
  ];
  story.get(2).node.campaign();
  story.settle(2, 3, 4);
  story.cluster.groups = null;
  story.pass(10);
  assert.deepEqual(story.terms(1), [1, 1, 3]);
  assert(story.texts(1).includes("survives"));
  assert.deepEqual(story.get(1).dropped, []);
});

test("followers at the same index share one array of entries, and a turn is one append and one batch", () => {
  const story = new Story([1, 2, 3, 4, 5]);
  story.elect(1);
  const leader = story.get(1);
  leader.asyncDisk = true;
  for (let i = 0; i < 100; i++) story.propose(1, `p${i}`);
  leader.takeReady(story.cluster.send);
  const appends = story.sent(MessageType.AppendEntries);
  assert.deepEqual(
    appends.map((message) => message.to),
    [2, 3, 4, 5],
  );
  for (const append of appends) {
    assert.equal(append.entries.length, 100);
    assert.equal(append.entries, appends[0]!.entries);
  }
  assert.equal(leader.batches.length, 1);
  assert.equal(leader.batches[0]!.entries.length, 100);
});
