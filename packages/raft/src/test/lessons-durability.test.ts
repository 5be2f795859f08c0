// Lessons 1 to 9 of raft-lessons.md: what may leave, count or be applied only when it is durable.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Entry } from "../entry.ts";
import { MessageType } from "../message.ts";
import { PersistQueue } from "../persist-queue.ts";
import { HardState, SnapshotMeta } from "../types.ts";
import { Story } from "./story.ts";

test("lesson 1: grants, acknowledgements and refusals leave after the state they speak of is durable", () => {
  const story = new Story([1, 2, 3]);
  story.get(2).asyncDisk = true;
  story.get(1).node.campaign();
  story.settle(1, 2);
  assert.equal(story.sent(MessageType.VoteResponse).length, 0);
  assert.equal(story.get(2).outbox.length, 1, "the grant waits for term and vote");
  story.settle(1, 3);
  assert(story.get(1).node.isLeader(), "3's grant was enough");

  story.settle(1, 2);
  assert.equal(story.sent(MessageType.AppendResponse).length, 0);
  while (story.get(2).persistOne(story.cluster.send));
  assert.equal(story.sent(MessageType.AppendResponse, 1).length, 1);
});

test("lesson 1: a refused append and a pre-vote answer wait for outstanding batches", () => {
  const story = new Story([1, 2, 3]);
  story.elect(1);
  const follower = story.get(2);
  follower.asyncDisk = true;
  story.propose(1, "a");
  story.settle(1, 2);
  const probe = story.message(MessageType.AppendEntries, 1, 2, 1);
  probe.index = 9;
  probe.logTerm = 1;
  follower.node.step(probe);
  const ask = story.message(MessageType.PreVote, 3, 2, 2);
  follower.node.step(ask);
  story.ready(2);
  assert.equal(story.sent(MessageType.AppendResponse).length, 0);
  assert.equal(story.sent(MessageType.PreVoteResponse).length, 0);
  follower.persistOne(story.cluster.send);
  assert.equal(story.sent(MessageType.AppendResponse).length, 2);
  assert.equal(story.sent(MessageType.PreVoteResponse).length, 1);
});

test("lesson 2: a leader counts itself only after its own fsync", () => {
  const story = new Story([1, 2, 3]);
  story.elect(1);
  story.get(1).asyncDisk = true;
  story.propose(1, "a");
  story.settle(1, 2);
  const { core } = story.get(1).node;
  assert.equal(core.log.committed, 1, "2 alone is no majority while the own write is under way");
  story.get(1).persistOne(story.cluster.send);
  assert.equal(core.log.committed, 2);
});

test("lesson 2: a single voter acknowledges nothing before its fsync (#14370)", () => {
  const story = new Story([1]);
  story.elect(1);
  story.get(1).asyncDisk = true;
  story.propose(1, "a");
  story.ready(1);
  assert.deepEqual(story.texts(1), [""]);
  assert.equal(story.get(1).node.core.log.committed, 1);
  story.get(1).persistOne(story.cluster.send);
  story.ready(1);
  assert.deepEqual(story.texts(1), ["", "a"]);
});

test("lesson 2: a candidate's own vote counts when it is durable", () => {
  const story = new Story([1]);
  story.get(1).asyncDisk = true;
  story.get(1).node.campaign();
  story.ready(1);
  assert(!story.get(1).node.isLeader());
  story.get(1).persistOne(story.cluster.send);
  assert(story.get(1).node.isLeader());
});

test("lesson 3: term, vote, entries and snapshots are synced, a commit index alone is not", () => {
  const story = new Story([1, 2, 3]);
  const leader = story.get(1);
  const { batches } = leader;
  leader.asyncDisk = true;
  leader.node.campaign();
  story.settle(1, 2);
  assert.equal(batches.length, 1);
  assert(batches[0]!.mustSync, "term and vote");
  leader.persistOne(story.cluster.send);
  story.settle(1, 2);
  assert.equal(batches.length, 1);
  assert(batches[0]!.mustSync, "the empty entry");
  leader.persistOne(story.cluster.send);
  story.settle(1, 2);
  assert.equal(leader.node.status().committed, 1);
  assert.equal(batches.length, 0, "a commit index alone does not hurry");
  story.tick(1, 10);
  story.ready(1);
  assert.equal(batches.length, 1);
  assert(!batches[0]!.mustSync, "a commit index alone");
  assert.equal(batches[0]!.hardState.commit, 1);
});

test("lesson 4: committed entries are not handed out before they are durable here", () => {
  const story = new Story([1, 2, 3]);
  story.elect(1);
  story.get(1).asyncDisk = true;
  story.propose(1, "a");
  story.settle();
  assert.equal(story.get(1).node.core.log.committed, 2, "committed by the two followers");
  assert.deepEqual(story.texts(1), [""]);
  assert.deepEqual(story.texts(2), ["", "a"]);
});

test("lesson 5: an entry written, overwritten and written again is durable with its last write only", () => {
  const queue = new PersistQueue(3, new HardState(1, 0, 0), 1);
  const first = queue.issue(new HardState(1, 0, 0), null, 2, true);
  queue.truncated(2);
  const second = queue.issue(new HardState(2, 0, 0), null, 2, true);
  queue.truncated(2);
  const third = queue.issue(new HardState(3, 0, 0), null, 3, true);
  assert.equal(queue.acknowledge(first)?.seq, first);
  assert.equal(queue.durableIndex, 1, "the first write of index 2 is not the one in the log");
  assert.equal(queue.acknowledge(second)?.seq, second);
  assert.equal(queue.durableIndex, 1);
  assert.equal(queue.acknowledge(third)?.seq, third);
  assert.equal(queue.durableIndex, 3);
});

test("lesson 5: acknowledgements from before a snapshot say nothing about the log behind it", () => {
  const queue = new PersistQueue(3, new HardState(1, 0, 0), 3);
  const before = queue.issue(new HardState(1, 0, 0), null, 9, true);
  queue.replaced(5);
  const meta = new SnapshotMeta(5, 2, new Story([1]).get(1).conf, 7);
  const install = queue.issue(new HardState(2, 0, 5), meta, 5, true);
  assert.equal(queue.acknowledge(before)?.seq, before);
  assert.equal(queue.durableIndex, 0);
  assert.equal(queue.acknowledge(install)?.snapshot, meta);
  assert.equal(queue.durableIndex, 5);
});

test("lesson 6: an acknowledgement of an older term still completes its snapshot", () => {
  const story = new Story([1, 2, 3]);
  const member = story.get(2);
  member.asyncDisk = true;
  const meta = new SnapshotMeta(5, 1, member.conf, 77);
  const install = story.message(MessageType.InstallSnapshot, 1, 2, 1);
  install.snapshot = meta;
  member.step(install, { meta, applied: [] });
  story.ready(2);
  member.node.step(story.message(MessageType.Heartbeat, 3, 2, 4));
  story.ready(2);
  assert.equal(member.node.status().applied, 0);
  member.persistOne(story.cluster.send);
  assert.equal(member.node.status().applied, 5);
  assert.equal(member.node.status().durableIndex, 5);
  assert.equal(member.node.term(), 4);
});

test("lesson 7: acknowledgements are cumulative, late ones are harmless, and order is kept", () => {
  const story = new Story([1, 2, 3], { persistBatchesInFlightMax: 3 });
  story.elect(1);
  const leader = story.get(1);
  leader.asyncDisk = true;
  for (const text of ["a", "b", "c"]) {
    story.propose(1, text);
    story.ready(1);
  }
  const seqs = leader.batches.map((batch) => batch.seq);
  assert.deepEqual(seqs, [seqs[0], seqs[0]! + 1, seqs[0]! + 2]);
  leader.node.persisted(seqs[2]!);
  assert.equal(leader.node.status().durableIndex, 4);
  leader.node.persisted(seqs[0]!);
  assert.equal(leader.node.status().durableIndex, 4);
  assert.throws(() => leader.node.persisted(seqs[2]! + 1), /never handed out/);
});

test("lesson 7: a hard state that follows a truncation goes behind it", () => {
  const story = new Story([1, 2, 3]);
  story.elect(1);
  const member = story.get(2);
  member.asyncDisk = true;
  const append = story.message(MessageType.AppendEntries, 1, 2, 1);
  append.index = 1;
  append.logTerm = 1;
  append.entries = [new Entry(1, 2, 16, 1, 0, new Uint8Array(1))];
  member.node.step(append);
  story.ready(2);
  const newer = story.message(MessageType.AppendEntries, 3, 2, 2);
  newer.index = 1;
  newer.logTerm = 1;
  newer.entries = [new Entry(2, 2, 16, 1, 0, new Uint8Array(1))];
  member.node.step(newer);
  story.ready(2);
  member.node.step(story.message(MessageType.Heartbeat, 1, 2, 3));
  story.ready(2);
  while (member.persistOne(story.cluster.send)) story.ready(2);
  const { disk } = member;
  assert.deepEqual(
    disk.entries.map((entry) => entry.term),
    [1, 2],
  );
  assert.equal(disk.hardState.term, 3);
});

test("lesson 8: a snapshot goes to the disk alone, before the entries behind it, and is answered last", () => {
  const story = new Story([1, 2, 3]);
  const member = story.get(2);
  member.asyncDisk = true;
  const meta = new SnapshotMeta(5, 1, member.conf, 77);
  const install = story.message(MessageType.InstallSnapshot, 1, 2, 1);
  install.snapshot = meta;
  member.step(install, { meta, applied: [] });
  const append = story.message(MessageType.AppendEntries, 1, 2, 1);
  append.index = 5;
  append.logTerm = 1;
  append.commit = 6;
  append.entries = [new Entry(1, 6, 16, 1, 0, new Uint8Array(1))];
  member.node.step(append);
  story.ready(2);
  assert.equal(member.node.status().durableIndex, 0);
  assert.equal(member.batches.length, 2);
  const [first, second] = member.batches;
  assert.equal(first!.install?.meta.index, 5);
  assert.equal(first!.entries.length, 0);
  assert.equal(first!.hardState.commit, 5, "what this batch holds, not what follows");
  assert.equal(second!.firstIndex, 6);
  assert.equal(second!.hardState.commit, 6);
  member.persistOne(story.cluster.send);
  assert.equal(story.sent(MessageType.AppendResponse).length, 0);
  member.persistOne(story.cluster.send);
  assert.equal(story.sent(MessageType.AppendResponse).at(-1)!.index, 6);
});

test("lesson 9: a disk that lost what it acknowledged is REGRESSED, and its leader's words do not crash it", () => {
  const story = new Story([1, 2, 3]);
  story.elect(1);
  story.propose(1, "a", "b");
  story.settle();
  const { node } = story.get(1);
  const fresh = story.get(3);
  story.cluster.dropTraffic(3);
  fresh.disk.entries = fresh.disk.entries.slice(0, 1);
  fresh.restart({});
  // Before its hello, the leader's heartbeat still speaks of what the old process had.
  const heartbeat = story.message(MessageType.Heartbeat, 1, 3, 1);
  heartbeat.toSession = fresh.session - 1;
  heartbeat.commit = 3;
  fresh.node.step(heartbeat);
  assert.equal(fresh.node.status().committed, 1);
  const regressed = node.peerSession(3, fresh.session, 1, fresh.durableLastIndex);
  assert(regressed);
  assert(node.status().progress.find((progress) => progress.id === 3)!.regressed);
  // Nothing it says counts any more, under no session.
  story.propose(1, "c");
  story.get(2).isUp = false;
  story.settle();
  assert.equal(node.status().committed, 3);
  assert(node.peerSession(3, fresh.session + 1, 1, 99), "once regressed, always");
});

test("lesson 9: a lower term than it promised is REGRESSED too", () => {
  const story = new Story([1, 2, 3]);
  story.elect(1);
  const { node } = story.get(1);
  assert(!node.peerSession(2, 901, 1, 1), "the term in which it voted and the log it acknowledged");
  assert(node.peerSession(3, 902, 0, 1));
});
