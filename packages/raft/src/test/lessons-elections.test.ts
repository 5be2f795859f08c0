// Lessons 19 to 27 of raft-lessons.md: pre-vote, leases, votes, timers, transfer.
import assert from "node:assert/strict";
import { test } from "node:test";
import { ConfChangeSingle, ConfChangeType, ConfTransition } from "../conf-change.ts";
import { MessageType } from "../message.ts";
import type { Message } from "../message.ts";
import { ProposeOutcome, StepOutcome, TransferOutcome } from "../raft-api.ts";
import { Role, SnapshotMeta } from "../types.ts";
import { Story } from "./story.ts";

/** Election timers of these members have run out: they heed no lease. */
function outwait(story: Story, ...ids: readonly number[]): void {
  for (const id of ids) story.get(id).node.core.electionElapsed = 1000;
}

test("lesson 19: a pre-vote changes neither term nor vote, on either side", () => {
  const story = new Story([1, 2, 3]);
  story.get(1).node.campaign();
  story.ready(1);
  story.deliver(2);
  for (const id of [1, 2]) {
    const status = story.get(id).node.status();
    assert.equal(status.term, 0);
    assert.equal(status.vote, 0);
  }
  assert.equal(story.get(1).batches.length + story.get(2).batches.length, 0);
});

test("lesson 19: a grant carries the asked term, a refusal the voter's own", () => {
  const story = new Story([1, 2, 3]);
  story.elect(1);
  const ask = story.message(MessageType.PreVote, 3, 2, 9);
  ask.index = 1;
  ask.logTerm = 1;
  story.get(2).node.step(ask);
  story.ready(2);
  const [refusal] = story.sent(MessageType.PreVoteResponse);
  assert.deepEqual([refusal!.reject, refusal!.term], [true, 1]);
  story.drop();
  outwait(story, 2);
  story.get(2).node.step(ask);
  story.ready(2);
  const [grant] = story.sent(MessageType.PreVoteResponse);
  assert.deepEqual([grant!.reject, grant!.term], [false, 9]);
});

test("lesson 19: a pre-vote answer of an earlier round, or to a candidate, is stale", () => {
  const story = new Story([1, 2, 3, 4, 5]);
  const { node } = story.get(1);
  node.campaign();
  story.ready(1);
  const answer = story.message(MessageType.PreVoteResponse, 2, 1, 1);
  answer.number = node.core.voteRound;
  node.campaign();
  assert.equal(node.step(answer), StepOutcome.IgnoredStale);
  answer.number = node.core.voteRound;
  assert.equal(node.step(answer), StepOutcome.Handled);
  const second = story.message(MessageType.PreVoteResponse, 3, 1, 1);
  second.number = node.core.voteRound;
  assert.equal(node.step(second), StepOutcome.Handled);
  assert.equal(node.core.role, Role.Candidate);
  const late = story.message(MessageType.PreVoteResponse, 4, 1, 1);
  late.number = second.number;
  assert.equal(node.step(late), StepOutcome.IgnoredStale);
});

test("lesson 20: a member of a higher term gets a leader of a lower one to step down", () => {
  for (const type of [MessageType.Heartbeat, MessageType.AppendEntries] as const) {
    const story = new Story([1, 2, 3]);
    story.elect(1);
    // 3 is of term 5 by an election that nobody else saw.
    story.get(3).node.core.becomeFollower(5, 0);
    story.get(3).node.step(story.message(type, 1, 3, 1));
    story.ready(3);
    story.deliver(1);
    assert.equal(story.get(1).node.term(), 5);
    assert(!story.get(1).node.isLeader());
  }
});

test("lesson 20: a pre-vote of a lower term is refused explicitly, with the newer term", () => {
  const story = new Story([1, 2, 3]);
  story.get(2).node.core.becomeFollower(5, 0);
  story.get(1).node.campaign();
  story.settle();
  assert.equal(story.get(1).node.term(), 5, "it has caught up, and can ask for term 6");
  story.get(1).node.campaign();
  story.settle();
  assert(story.get(1).node.isLeader());
});

test("lesson 21: who heard a leader within the election timeout gives no vote, and keeps its term", () => {
  const story = new Story([1, 2, 3]);
  story.elect(1);
  const vote = story.message(MessageType.Vote, 3, 2, 9);
  vote.index = 1;
  vote.logTerm = 1;
  assert.equal(story.get(2).node.step(vote), StepOutcome.IgnoredStale);
  assert.equal(
    story.get(1).node.step({ ...vote, to: 1, toSession: 101 }),
    StepOutcome.IgnoredStale,
  );
  assert.equal(story.get(2).node.term(), 1);
  assert(story.get(1).node.isLeader());

  vote.transfer = true;
  assert.equal(
    story.get(2).node.step(vote),
    StepOutcome.Handled,
    "unless leadership is handed over",
  );
  assert.equal(story.get(2).node.status().vote, 3);
});

test("lesson 22: one vote a term, and only for a log that is up to date", () => {
  const story = new Story([1, 2, 3]);
  const { core } = story.get(1).node;
  story.elect(1);
  story.propose(1, "a");
  story.settle();
  outwait(story, 2);
  const voter = story.get(2).node;
  const ask = (from: number, term: number, index: number, logTerm: number): boolean => {
    const vote = story.message(MessageType.Vote, from, 2, term);
    vote.index = index;
    vote.logTerm = logTerm;
    voter.step(vote);
    story.ready(2);
    const [answer] = story.sent(MessageType.VoteResponse);
    story.drop();
    return !answer!.reject;
  };
  assert(!ask(3, 2, 1, 1), "shorter");
  assert(!ask(3, 2, 99, 0), "longer, of an older term");
  assert(ask(3, 2, 2, 1), "equal");
  assert(ask(3, 2, 2, 1), "the same candidate again");
  assert(!ask(1, 2, 9, 2), "another one in the same term");
  assert(ask(1, 3, 1, 2), "shorter, of a newer term, in the next one");
  assert.equal(core.term, 1);
});

test("lesson 22: who follows a leader in this term votes for nobody in it", () => {
  const story = new Story([1, 2, 3]);
  story.get(2).node.step(story.message(MessageType.Heartbeat, 1, 2, 4));
  outwait(story, 2);
  const vote = story.message(MessageType.Vote, 3, 2, 4);
  story.get(2).node.step(vote);
  story.ready(2);
  assert(story.sent(MessageType.VoteResponse)[0]!.reject);
});

test("lesson 23: learners, removed and unknown members vote when asked", () => {
  const story = new Story([1, 2, 3, 4], { voters: [1, 2], learners: [3] });
  for (const id of [3, 4]) {
    story.get(id).node.step(story.message(MessageType.Vote, 1, id, 1));
    story.ready(id);
  }
  const answers = story.sent(MessageType.VoteResponse);
  assert.deepEqual(
    answers.map((answer) => [answer.from, answer.reject]),
    [
      [3, false],
      [4, false],
    ],
  );
});

test("lesson 24: a leader of its own term turns a candidate or pre-candidate into a follower", () => {
  const meta = (story: Story): SnapshotMeta => new SnapshotMeta(5, 1, story.get(1).conf, 7);
  for (const type of [
    MessageType.AppendEntries,
    MessageType.Heartbeat,
    MessageType.InstallSnapshot,
  ] as const) {
    for (const isPre of [true, false]) {
      const story = new Story([1, 2, 3]);
      const { node } = story.get(1);
      node.campaign();
      if (!isPre) {
        const grant = story.message(MessageType.PreVoteResponse, 2, 1, 1);
        grant.number = node.core.voteRound;
        node.step(grant);
        assert.equal(node.core.role, Role.Candidate);
      }
      const message: Message = story.message(type, 3, 1, node.term());
      if (type === MessageType.InstallSnapshot) message.snapshot = meta(story);
      node.step(message);
      assert.equal(node.core.role, Role.Follower);
      assert.equal(node.leader(), 3);
    }
  }
});

test("lesson 25: election timeouts are drawn anew at every change of role or term", () => {
  let draws = 0;
  const random = { below: (n: number): number => draws++ % n };
  const story = new Story([1, 2, 3], { random });
  const { core } = story.get(1).node;
  const seen = new Set<number>();
  for (let term = 1; term <= 5; term++) {
    core.becomeFollower(term, 0);
    seen.add(core.electionTimeout);
  }
  assert.equal(seen.size, 5);
  for (const timeout of seen) assert(timeout >= 100 && timeout <= 200);
});

test("lesson 26: TimeoutNow moves no learner, no removed member, and nobody who waits for a snapshot", () => {
  const story = new Story([1, 2, 3, 4], { voters: [1, 2], learners: [3] });
  for (const id of [3, 4]) {
    story.get(id).node.step(story.message(MessageType.TimeoutNow, 1, id, 0));
    assert.equal(story.get(id).node.core.role, Role.Follower);
  }
  const install = story.message(MessageType.InstallSnapshot, 1, 2, 1);
  install.snapshot = new SnapshotMeta(5, 1, story.get(2).conf, 7);
  story.get(2).asyncDisk = true;
  story.get(2).step(install, { meta: install.snapshot, applied: [] });
  story.ready(2);
  story.get(2).node.step(story.message(MessageType.TimeoutNow, 1, 2, 1));
  assert.equal(story.get(2).node.core.role, Role.Follower);
  story.get(2).persistOne(story.cluster.send);
  story.get(2).node.step(story.message(MessageType.TimeoutNow, 1, 2, 1));
  assert.equal(story.get(2).node.core.role, Role.Candidate);
});

test("lesson 26: a TimeoutNow for a former process of the target is ignored (P4)", () => {
  const story = new Story([1, 2, 3]);
  story.elect(1);
  const message = story.message(MessageType.TimeoutNow, 1, 2, 1);
  message.toSession = 12_345;
  assert.equal(story.get(2).node.step(message), StepOutcome.IgnoredStale);
  assert.equal(story.get(2).node.core.role, Role.Follower);
});

test("lesson 27: transfer is refused to oneself, learners and strangers, and drops proposals", () => {
  const story = new Story([1, 2, 3], { voters: [1, 2], learners: [3] });
  story.elect(1);
  const { node } = story.get(1);
  for (const to of [1, 3, 9]) assert.equal(node.transferLeadership(to), TransferOutcome.BadTarget);
  assert.equal(story.get(2).node.transferLeadership(1), TransferOutcome.NotLeader);
  story.cluster.crash(2);
  assert.equal(node.transferLeadership(2), TransferOutcome.Started);
  assert.equal(node.transferLeadership(2), TransferOutcome.BadTarget, "already the target");
  assert.equal(story.propose(1, "a"), ProposeOutcome.Transferring);
});

test("lesson 27: transfer ends by itself, with the target's vote, and with a new target", () => {
  const story = new Story([1, 2, 3]);
  story.elect(1);
  const { node } = story.get(1);
  story.change(1, ConfTransition.Auto, new ConfChangeSingle(ConfChangeType.Remove, 3));
  story.cluster.crash(3);
  node.transferLeadership(3);
  assert.equal(node.status().transferee, 3);
  story.settle(1, 2);
  assert.equal(node.status().transferee, 0, "3 votes no more");
  story.cluster.crash(2);
  node.transferLeadership(2);
  story.tick(1, 99);
  assert.equal(node.status().transferee, 2);
  story.tick(1, 1);
  assert.equal(node.status().transferee, 0, "an election timeout has passed");
});

test("lesson 27: the target is told again if the word was lost", () => {
  const story = new Story([1, 2, 3]);
  story.elect(1);
  story.get(1).node.transferLeadership(2);
  story.ready(1);
  assert.equal(story.sent(MessageType.TimeoutNow).length, 1);
  story.drop();
  story.tick(1, 10);
  story.settle();
  assert(story.get(2).node.isLeader());
});

test("P7: a leader steps down T after a quorum's last answers, each half of a joint configuration", () => {
  const story = new Story([1, 2, 3, 4, 5], { voters: [1, 2, 3] });
  story.elect(1);
  story.change(
    1,
    ConfTransition.JointExplicit,
    new ConfChangeSingle(ConfChangeType.AddVoter, 4),
    new ConfChangeSingle(ConfChangeType.AddVoter, 5),
    new ConfChangeSingle(ConfChangeType.Remove, 2),
    new ConfChangeSingle(ConfChangeType.Remove, 3),
  );
  story.settle();
  story.cluster.crash(4);
  story.cluster.crash(5);
  story.pass(100);
  assert(story.get(1).node.isLeader());
  story.pass(1);
  assert(!story.get(1).node.isLeader(), "2 and 3 answer, but not a majority of {1, 4, 5}");
});

test("P7: the grants of its election count as answers, nothing else does", () => {
  const story = new Story([1, 2, 3, 4, 5]);
  const { node } = story.get(1);
  story.cluster.groups = [
    [1, 2, 3],
    [4, 5],
  ];
  story.elect(1);
  story.cluster.groups = [[1, 2], [3], [4, 5]];
  story.pass(100);
  assert(node.isLeader());
  story.pass(1);
  assert(!node.isLeader());
});

test("P7: a stall whose ticks are clamped deposes nobody", () => {
  const story = new Story([1, 2, 3]);
  story.elect(1);
  story.pass(10);
  // The host was away for long and hands in a clamped number of ticks, then the messages.
  story.tick(1, 50);
  story.settle();
  assert(story.get(1).node.isLeader());
  story.pass(100);
  assert(story.get(1).node.isLeader());
});
