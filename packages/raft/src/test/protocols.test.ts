// P4 (sessions), P5 (quiet start), P6 (close hint) and P11 (levels and clocks) where a transcript
// would not show it.
import assert from "node:assert/strict";
import { test } from "node:test";
import { EntryKind, Proposal } from "../entry.ts";
import { MessageType } from "../message.ts";
import { ProposeOutcome, StepOutcome } from "../raft-api.ts";
import { ProgressKind } from "../status.ts";
import { Role, SnapshotMeta } from "../types.ts";
import { Story } from "./story.ts";

const level = (value: number): Proposal =>
  new Proposal(EntryKind.Level, Uint8Array.of(value, 0, 0, 0));

test("P4: a new session sets match 0 and probes behind its last index; the same one changes nothing", () => {
  const story = new Story([1, 2, 3]);
  story.elect(1);
  story.propose(1, "a", "b");
  story.settle();
  const { node } = story.get(1);
  const third = (): string => {
    const { kind, match, next } = node.status().progress.find((progress) => progress.id === 3)!;
    return `${kind} ${match} ${next}`;
  };
  node.peerSession(3, story.get(3).session, 1, 0);
  assert.equal(third(), `${ProgressKind.Replicate} 3 4`);
  node.peerSession(3, 777, 1, 3);
  assert.equal(third(), `${ProgressKind.Probe} 0 4`);
  node.peerSession(3, 778, 2, 99);
  assert.equal(third(), `${ProgressKind.Probe} 0 4`, "never beyond the own log");
});

test("P4: messages of another process than the present one are ignored, whatever they are", () => {
  const story = new Story([1, 2, 3]);
  story.elect(1);
  const { node } = story.get(2);
  for (const type of Object.values(MessageType)) {
    const message = story.message(type, 1, 2, 9);
    message.session = 12_345;
    assert.equal(node.step(message), StepOutcome.IgnoredStale);
  }
  assert.equal(node.term(), 1);
});

test("P4: votes of a process that is gone do not count", () => {
  const story = new Story([1, 2, 3, 4, 5]);
  const { node } = story.get(1);
  node.campaign();
  const grant = (from: number, session: number): void => {
    const answer = story.message(MessageType.PreVoteResponse, from, 1, 1);
    answer.session = session;
    answer.number = node.core.voteRound;
    node.step(answer);
  };
  grant(2, story.get(2).session);
  node.peerSession(2, 999, 0, 0);
  grant(3, story.get(3).session);
  assert.equal(node.core.role, Role.PreCandidate, "2's grant went with its process");
  grant(2, 999);
  assert.equal(node.core.role, Role.Candidate);
});

test("P4: every answer echoes session, number and sent time of what it answers", () => {
  const story = new Story([1, 2, 3]);
  story.elect(1);
  const heartbeat = story.message(MessageType.Heartbeat, 1, 2, 1);
  heartbeat.number = 77;
  heartbeat.sentMs = 1234;
  story.get(2).node.clock(5000);
  story.get(2).node.step(heartbeat);
  story.ready(2);
  const answer = story.sent(MessageType.HeartbeatResponse).at(-1)!;
  assert.equal(answer.number, 77);
  assert.equal(answer.sentMs, 1234);
  assert.equal(answer.wallMs, 5000);
  assert.equal(answer.toSession, story.get(1).session);
  assert.equal(answer.session, story.get(2).session);
});

test("P5: a quiet member acknowledges entries, promises no vote, and does not campaign", () => {
  const story = new Story([1, 2, 3], { quiet: true });
  for (const id of [1, 2, 3]) story.get(id).node.endQuiet();
  story.elect(1);
  story.cluster.dropTraffic(3);
  story.get(3).restart({ quiet: true });
  story.cluster.hello(2, 3);
  const { node } = story.get(3);
  // The leader has not heard its hello: it speaks to the old process.
  const append = story.message(MessageType.AppendEntries, 1, 3, 1);
  append.toSession = 0;
  append.index = 1;
  append.logTerm = 1;
  node.step(append);
  assert(node.status().quiet, "no echo of this session");
  const vote = story.message(MessageType.Vote, 2, 3, 5);
  vote.index = 9;
  vote.logTerm = 1;
  vote.transfer = true;
  node.step(vote);
  node.step(story.message(MessageType.TimeoutNow, 1, 3, 1));
  node.campaign();
  story.ready(3);
  assert.equal(node.term(), 1);
  assert.equal(story.sent(MessageType.AppendResponse).length, 1);
  assert.equal(story.sent(MessageType.VoteResponse).length, 0);
  story.tick(3, 99);
  assert(node.status().quiet);
  story.tick(3, 1);
  assert(!node.status().quiet, "T has passed");
  story.ready(3);
  assert.equal(story.sent(MessageType.VoteResponse).length, 1, "what was asked is answered");
  assert.equal(node.term(), 5);
});

test("P5: a leader of an older term does not end quiet", () => {
  const story = new Story([1, 2, 3]);
  story.elect(1);
  const { node } = story.get(3);
  node.core.becomeFollower(4, 0);
  node.core.quiet.active = true;
  node.step(story.message(MessageType.Heartbeat, 1, 3, 1));
  assert(node.status().quiet);
  node.step(story.message(MessageType.Heartbeat, 2, 3, 4));
  assert(!node.status().quiet);
});

test("P5, P6: a request that quiet start kept is no sign of life of who has died since", () => {
  const story = new Story([1, 2, 3], { quiet: true });
  const { node } = story.get(2);
  node.step(story.message(MessageType.PreVote, 1, 2, 1));
  // It leads by now, and has not heard our hello: quiet goes on.
  const heartbeat = story.message(MessageType.Heartbeat, 1, 2, 1);
  heartbeat.toSession = 0;
  node.step(heartbeat);
  node.leaderGone(1, story.get(1).session);
  node.endQuiet();
  assert(!node.status().quiet);
  assert(node.core.hint.active, "the evidence stands");
});

test("P6: evidence counts only for the present leader's present process, while it leads", () => {
  const story = new Story([1, 2, 3]);
  story.elect(1);
  const { core } = story.get(2).node;
  story.get(2).node.leaderGone(3, story.get(3).session);
  assert(!core.hint.active, "not the leader");
  story.get(2).node.leaderGone(1, 12_345);
  assert(!core.hint.active, "another process");
  story.get(2).node.leaderGone(1, story.get(1).session);
  assert(core.hint.active);
  story.get(2).node.step(story.message(MessageType.Heartbeat, 1, 2, 1));
  assert(!core.hint.active, "it speaks");
});

test("P6: with evidence votes are granted at once, without it not", () => {
  for (const isHinted of [true, false]) {
    const story = new Story([1, 2, 3]);
    story.elect(1);
    if (isHinted) story.get(2).node.leaderGone(1, story.get(1).session);
    const vote = story.message(MessageType.Vote, 3, 2, 2);
    vote.index = 1;
    vote.logTerm = 1;
    story.get(2).node.step(vote);
    assert.equal(story.get(2).node.status().vote === 3, isHinted);
  }
});

test("P6: an own candidacy waits 20 ms and up to 50 more", () => {
  const waits = new Set<number>();
  for (let draw = 0; draw < 10; draw++) {
    const story = new Story([1, 2, 3], { random: { below: (n) => draw % n } });
    story.elect(1);
    const { node } = story.get(2);
    node.leaderGone(1, story.get(1).session);
    let ticks = 0;
    while (node.core.role === Role.Follower) {
      node.tick();
      ticks++;
    }
    waits.add(ticks);
  }
  assert.deepEqual(
    [...waits].toSorted((a, b) => a - b),
    [2, 3, 4, 5, 6, 7],
  );
});

test("P11: entries carry the level that all Level entries of the log come to, applied or not", () => {
  const story = new Story([1, 2, 3]);
  story.elect(1);
  const { node } = story.get(1);
  const write = new Proposal(16, new Uint8Array(1));
  node.propose([write, level(2), write, level(3), write]);
  const { tail } = node.core.log;
  assert.deepEqual(
    [2, 3, 4, 5, 6].map((index) => tail.at(index).level),
    [1, 1, 2, 2, 3],
  );
  // Nothing of it is committed; another leader without these entries knows nothing of the levels.
  story.cluster.crash(1);
  story.elect(2);
  assert.equal(story.get(2).node.status().level, 1);
  story.get(1).restart({});
  story.cluster.hello(1, 2);
  story.cluster.hello(1, 3);
  story.get(2).node.propose([write]);
  story.pass(10);
  assert.equal(story.get(1).node.status().level, 1, "truncated, the level is as before");
});

test("P11: compaction and snapshots keep level and stamp", () => {
  const story = new Story([1, 2, 3]);
  story.elect(1);
  const { node } = story.get(1);
  node.clock(50_000);
  story.cluster.crash(3);
  node.propose([level(4)]);
  story.settle();
  story.get(1).checkpoint();
  story.get(1).compact(2);
  assert.equal(node.status().level, 4);
  assert.equal(node.core.log.tail.lastWallMs, 50_000);
  story.get(3).restart({});
  story.cluster.hello(1, 3);
  story.cluster.hello(2, 3);
  story.pass(10);
  const { tail } = story.get(3).node.core.log;
  assert.equal(tail.baseIndex, 2);
  assert.equal(tail.nextLevel, 4);
  assert.equal(tail.lastWallMs, 50_000);
});

test("P11: a stamp is never below the entry before", () => {
  const story = new Story([1]);
  story.elect(1);
  const { node } = story.get(1);
  for (const reading of [9000, 7000, 9500]) {
    node.clock(reading);
    story.propose(1, "a");
  }
  const { tail } = node.core.log;
  assert.deepEqual(
    [2, 3, 4].map((index) => tail.at(index).wallMs),
    [9000, 9000, 9500],
  );
});

test("P11: a stamp is at most a second above the voters' median, or the last stamp, and that is told", () => {
  const story = new Story([1, 2, 3]);
  story.elect(1);
  const clocks: readonly (readonly [number, number])[] = [
    [1, 1_000_000],
    [2, 20_000],
    [3, 10_000],
  ];
  for (const [id, reading] of clocks) story.get(id).node.clock(reading);
  story.pass(10);
  const { node } = story.get(1);
  story.propose(1, "a");
  const stamp = node.core.log.tail.lastWallMs;
  assert(stamp >= 21_000 && stamp <= 21_100, `${stamp}: a second above 20,000 and some ticks`);
  assert(node.status().clockClamped);
  node.clock(15_000);
  story.propose(1, "b");
  assert.equal(node.core.log.tail.lastWallMs, stamp);
  assert(!node.status().clockClamped);
});

test("P11: a snapshot that tells no level or stamp leaves what is known", () => {
  const story = new Story([1, 2, 3]);
  story.elect(1);
  story.get(1).node.clock(5000);
  story.get(1).node.propose([level(6)]);
  story.settle();
  const member = story.get(2);
  const install = story.message(MessageType.InstallSnapshot, 1, 2, 1);
  install.snapshot = new SnapshotMeta(99, 1, member.conf, 7);
  member.step(install, { meta: install.snapshot, applied: [] });
  assert.equal(member.node.core.log.tail.nextLevel, 6);
  assert.equal(member.node.core.log.tail.lastWallMs, 5000);
});

test("a proposal of a core's own kind, or a Level that is no number, is a bug of the host", () => {
  const story = new Story([1]);
  story.elect(1);
  const { node } = story.get(1);
  assert.throws(() => node.propose([new Proposal(EntryKind.ConfChange, new Uint8Array(0))]));
  assert.throws(() => node.propose([new Proposal(EntryKind.Level, new Uint8Array(3))]));
  assert.equal(node.propose([]), ProposeOutcome.Accepted);
});
