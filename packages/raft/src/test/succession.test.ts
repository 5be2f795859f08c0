// Ranked timeouts (succession.ts) where the transcript would not show it: the order, what a follower
// makes of a rank, and what makes it forget one.
import assert from "node:assert/strict";
import { test } from "node:test";
import { checkConfig, raftDefaults } from "../config.ts";
import { ConfChangeSingle, ConfChangeType, ConfTransition } from "../conf-change.ts";
import { MessageType } from "../message.ts";
import { Role } from "../types.ts";
import type { NodeId } from "../types.ts";
import { Story } from "./story.ts";
import type { StoryOptions } from "./story.ts";

const slot = 7;
const ranked: StoryOptions = { electionRankSlotTicks: slot, electionRankJitterTicks: 0 };

/** A leader 1 whose heartbeats have been answered at least once. */
function ledBy1(ids: readonly NodeId[], options: StoryOptions = {}): Story {
  const story = new Story(ids, { ...ranked, ...options });
  story.elect(1);
  story.pass(10);
  return story;
}

/** The order of succession as the leader's next heartbeats tell it. */
function told(story: Story, leader: NodeId = 1): NodeId[] {
  story.tick(leader, 10);
  story.ready(leader);
  const heartbeats = story.sent(MessageType.Heartbeat).filter(({ rank }) => rank > 0);
  const order = heartbeats.toSorted((a, b) => a.rank - b.rank);
  order.forEach(({ rank }, i) => assert.equal(rank, i + 1, "ranks have no gaps and no doubles"));
  story.settle();
  return order.map(({ to }) => to);
}

function rankOf(story: Story, id: NodeId): number {
  const { state } = story.get(id).node.core;
  return state.role === Role.Follower ? state.rank : -1;
}

function timeoutOf(story: Story, id: NodeId): number {
  return story.get(id).node.core.electionTimeout;
}

test("ranks: match first, then the host's preference, then latency, then the lower raft id", () => {
  const story = ledBy1([1, 2, 3, 4, 5]);
  assert.deepEqual(told(story), [2, 3, 4, 5], "all alike: by raft id");

  const { node } = story.get(1);
  assert(node.core.state.role === Role.Leader);
  for (const progress of node.core.state.tracker.all) {
    progress.latencyTicks = [0, 0, 3, 2, 1, 3][progress.id]!;
  }
  assert.deepEqual(told(story), [4, 3, 2, 5], "who answers faster first");

  node.preferSuccessor(5, 1);
  node.preferSuccessor(4, -1);
  assert.deepEqual(told(story), [5, 3, 2, 4], "whom the host prefers first");

  story.cluster.groups = [[1, 2, 3, 4], [5]];
  story.propose(1, "a");
  story.settle();
  story.cluster.groups = null;
  assert.deepEqual(told(story), [3, 2, 4, 5], "nobody prefers a shorter log");
});

test("ranks: who has not answered three heartbeats comes last, whatever it holds", () => {
  const story = ledBy1([1, 2, 3]);
  story.cluster.crash(2);
  for (let i = 0; i < 3; i++) assert.deepEqual(told(story), [2, 3]);
  assert.deepEqual(told(story), [3, 2]);
});

test("ranks: latency is measured in ticks, once per election timeout", () => {
  const story = ledBy1([1, 2, 3]);
  const { core } = story.get(1).node;
  assert(core.state.role === Role.Leader);
  const { state } = core;
  const latencies = (): number[] => [2, 3].map((id) => state.tracker.get(id)!.latencyTicks);
  assert.deepEqual(latencies(), [0, 0]);
  const round = state.timedRound;
  story.pass(99);
  assert.equal(state.timedRound, round);
  story.tick(1, 1);
  assert.notEqual(state.timedRound, round, "another one is timed");
  story.ready(1);
  story.deliver(2);
  story.ready(2);
  story.tick(1, 4);
  story.deliver(1, 2);
  assert.deepEqual(latencies(), [4, 0]);
  story.drop();
  assert.deepEqual(told(story), [3, 2]);
});

test("ranks: none for learners and regressed members; voters of both halves have one", () => {
  const story = ledBy1([1, 2, 3, 4, 5], { voters: [1, 2, 3], learners: [4] });
  assert.deepEqual(told(story), [2, 3]);
  story.get(1).node.peerSession(3, 999, 0, 0);
  assert.deepEqual(told(story), [2], "3 lost what it had acknowledged");
  const joint = ConfTransition.JointExplicit;
  story.change(1, joint, new ConfChangeSingle(ConfChangeType.AddVoter, 5));
  story.settle();
  story.change(1, ConfTransition.Leave);
  story.settle();
  assert.deepEqual(told(story), [2, 5]);
});

test("ranks: with the setting off nobody is told any, and none is heeded", () => {
  const off = ledBy1([1, 2, 3], { electionRankSlotTicks: 0 });
  assert.deepEqual(told(off), []);
  const before = timeoutOf(off, 2);
  const heartbeat = off.message(MessageType.Heartbeat, 1, 2, 1);
  heartbeat.rank = 2;
  off.get(2).node.step(heartbeat);
  assert.equal(rankOf(off, 2), 0);
  assert.equal(timeoutOf(off, 2), before);
});

test("a follower of rank r waits T, r - 1 slots and a small jitter, drawn once per rank", () => {
  let draws = 0;
  const random = { below: (n: number): number => (draws++, n - 1) };
  const story = ledBy1([1, 2, 3, 4], { random, electionRankJitterTicks: 3 });
  assert.deepEqual(
    [2, 3, 4].map((id) => timeoutOf(story, id)),
    [103, 103 + slot, 103 + 2 * slot],
  );
  const before = draws;
  story.pass(50);
  assert.equal(draws, before, "heartbeats with the same rank draw nothing");
});

test("a rank is forgotten with its term and role, and beyond the voters known: the wait is random", () => {
  const random = { below: (n: number): number => n - 1 };
  const story = ledBy1([1, 2, 3], { random });
  const { node } = story.get(3);
  assert.equal(timeoutOf(story, 3), 100 + slot);

  node.core.becomeFollower(1, 1);
  assert.equal(rankOf(story, 3), 0, "another leader, or the same one after a failed round");
  assert.equal(timeoutOf(story, 3), 200);

  const heartbeat = story.message(MessageType.Heartbeat, 1, 3, 1);
  for (const [rank, heeded, timeout] of [
    [3, 3, 100 + 2 * slot],
    [4, 0, 200],
    [2, 2, 100 + slot],
    [0, 0, 200],
    [2 ** 52, 0, 200],
  ] as const) {
    heartbeat.rank = rank;
    node.step(heartbeat);
    assert.deepEqual([rankOf(story, 3), timeoutOf(story, 3)], [heeded, timeout], `told ${rank}`);
  }

  heartbeat.rank = 2;
  node.step(heartbeat);
  node.step(story.message(MessageType.Heartbeat, 2, 3, 5));
  assert.equal(rankOf(story, 3), 0, "a newer term");
  heartbeat.term = 1;
  node.step(heartbeat);
  assert.equal(rankOf(story, 3), 0, "an old leader's word");
});

test("wrong ranks cost time and no more: everybody the first, everybody wins in the end", () => {
  for (let seed = 0; seed < 20; seed++) {
    let draw = seed;
    const random = { below: (n: number): number => (draw = (draw * 5 + 3) % 1009) % n };
    const story = ledBy1([1, 2, 3, 4, 5], { random });
    for (const id of [2, 3, 4, 5]) {
      const heartbeat = story.message(MessageType.Heartbeat, 1, id, 1);
      heartbeat.rank = 1;
      story.get(id).node.step(heartbeat);
      assert.equal(timeoutOf(story, id), 100);
    }
    story.settle();
    story.cluster.crash(1);
    // All of them ask in the same tick, and are candidates before a vote is there.
    for (const id of [2, 3, 4, 5]) story.tick(id, 100);
    assert.equal(story.get(5).node.core.role, Role.PreCandidate);
    story.pass(1000);
    const leaders = story.cluster.up.filter((member) => member.node.isLeader());
    assert.equal(leaders.length, 1, `seed ${seed}`);
  }
});

test("a slot or a jitter that is no number of ticks is refused", () => {
  const config = { ...raftDefaults, id: 1, session: 1, random: { below: (): number => 0 } };
  for (const ticks of [-1, 0.5, Number.NaN]) {
    assert.throws(() => checkConfig({ ...config, electionRankSlotTicks: ticks }));
    assert.throws(() => checkConfig({ ...config, electionRankJitterTicks: ticks }));
  }
  checkConfig(config);
});
