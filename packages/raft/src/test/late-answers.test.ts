// Late answers (late-answers.ts) where the transcripts would not show it: what is kept and for how
// long, what becomes of it, and that nobody's term is in danger by it.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Prng } from "@quorate/base";
import { MessageType } from "../message.ts";
import type { Message } from "../message.ts";
import { quorumOf } from "../quorum/majority.ts";
import { StepOutcome } from "../raft-api.ts";
import { Role } from "../types.ts";
import type { NodeId, Term } from "../types.ts";
import type { TestMember } from "./member.ts";
import { Story } from "./story.ts";
import type { StoryOptions } from "./story.ts";

const late: StoryOptions = { lateVoteAnswers: true };

/** Leader 1 of term 1; everybody's log ends in 1/1. */
function ledBy1(ids: readonly NodeId[], options: StoryOptions = {}): Story {
  const story = new Story(ids, { ...late, ...options });
  story.elect(1);
  return story;
}

function preVote(story: Story, from: NodeId, to: NodeId, term: Term, number: number = 7): Message {
  const request = story.message(MessageType.PreVote, from, to, term);
  request.index = 1;
  request.logTerm = 1;
  request.number = number;
  return request;
}

/** Steps it; the answers that leave, as `to granted|reject round`. */
function answersOf(story: Story, id: NodeId, ...messages: readonly Message[]): string[] {
  for (const message of messages) story.get(id).node.step(message);
  story.ready(id);
  const sent = story.sent(MessageType.PreVoteResponse).filter(({ from }) => from === id);
  story.take(({ message }) => message.from === id);
  return sent.map(({ to, reject, number }) => `${to} ${reject ? "reject" : "granted"} ${number}`);
}

/** Time at `id` until its lease is over. */
function outlast(story: Story, id: NodeId): void {
  const { core } = story.get(id).node;
  story.tick(id, core.config.electionTimeoutTicks - core.electionElapsed);
}

test("kept is only what the lease alone stands against; the rest is refused at once", () => {
  const story = ledBy1([1, 2, 3]);
  assert.deepEqual(answersOf(story, 2, preVote(story, 3, 2, 2)), []);
  assert(story.get(2).node.core.kept.isWaiting);

  assert.deepEqual(answersOf(story, 1, preVote(story, 3, 1, 2)), ["3 reject 7"], "the leader");
  assert.deepEqual(answersOf(story, 2, preVote(story, 3, 2, 1)), ["3 reject 7"], "the own term");
  assert(!story.get(2).node.core.kept.isWaiting, "it was the newest of this asker");
  const shorter = preVote(story, 3, 2, 2);
  shorter.index = 0;
  shorter.logTerm = 0;
  assert.deepEqual(answersOf(story, 2, shorter), ["3 reject 7"], "a shorter log");

  const off = ledBy1([1, 2, 3], { lateVoteAnswers: false });
  assert.deepEqual(answersOf(off, 2, preVote(off, 3, 2, 2)), ["3 reject 7"]);
});

test("a kept request is granted when the lease ends, refused when the leader speaks", () => {
  for (const type of [MessageType.Heartbeat, MessageType.AppendEntries, null] as const) {
    const story = ledBy1([1, 2, 3]);
    answersOf(story, 2, preVote(story, 3, 2, 2));
    story.tick(2, 99);
    assert.deepEqual(answersOf(story, 2), []);
    if (type === null) {
      story.tick(2, 1);
      assert.deepEqual(answersOf(story, 2), ["3 granted 7"]);
      continue;
    }
    const word = story.message(type, 1, 2, 1);
    assert.deepEqual(answersOf(story, 2, word), ["3 reject 7"]);
    outlast(story, 2);
    assert.deepEqual(answersOf(story, 2), [], "once");
  }
});

test("what changed meanwhile counts: a newer term, a vote for another, own leadership", () => {
  const newer = ledBy1([1, 2, 3]);
  answersOf(newer, 2, preVote(newer, 3, 2, 2));
  const vote = newer.message(MessageType.Vote, 1, 2, 2);
  vote.index = 1;
  vote.logTerm = 1;
  vote.transfer = true;
  answersOf(newer, 2, vote);
  assert.equal(newer.get(2).node.status().vote, 1);
  newer.tick(2, 1);
  assert.deepEqual(answersOf(newer, 2), ["3 reject 7"], "no lease any more, but a vote");

  const leader = ledBy1([1, 2, 3]);
  answersOf(leader, 2, preVote(leader, 3, 2, 2));
  leader.get(1).node.transferLeadership(2);
  leader.settle(1, 2);
  assert(leader.get(2).node.isLeader());
  assert(leader.get(2).node.core.kept.isEmpty);
});

test("one request per asker, the newest round; an earlier one that comes late is stale", () => {
  const story = ledBy1([1, 2, 3]);
  answersOf(story, 2, preVote(story, 3, 2, 2, 7), preVote(story, 3, 2, 2, 9));
  const { node } = story.get(2);
  assert.equal(node.step(preVote(story, 3, 2, 2, 8)), StepOutcome.IgnoredStale);
  outlast(story, 2);
  assert.deepEqual(answersOf(story, 2), ["3 granted 9"]);
});

test("beyond the bound requests are refused at once, as without late answers", () => {
  const story = ledBy1([1, 2, 3]);
  const { node } = story.get(2);
  for (let asker = 3; asker < 3 + 64; asker++) {
    const request = preVote(story, 3, 2, 2);
    request.from = asker;
    request.session = asker * 100 + 1;
    node.step(request);
  }
  const beyond = preVote(story, 3, 2, 2);
  beyond.from = 999;
  beyond.session = 99_901;
  assert.deepEqual(answersOf(story, 2, beyond), ["999 reject 7"]);
});

test("the process that asked is gone: no answer (P4)", () => {
  const story = ledBy1([1, 2, 3]);
  answersOf(story, 2, preVote(story, 3, 2, 2));
  story.get(2).node.peerSession(3, 999, 1, 1);
  outlast(story, 2);
  assert.deepEqual(answersOf(story, 2), []);
});

test("the asker counts a late grant only in the round that it answers", () => {
  const story = ledBy1([1, 2, 3]);
  const { node } = story.get(3);
  outlast(story, 3);
  node.campaign();
  story.ready(3);
  story.deliver(2, 3);
  story.drop();
  node.campaign();
  story.ready(3);
  story.drop();
  outlast(story, 2);
  story.ready(2);
  story.deliver(3, 2);
  assert.equal(node.core.role, Role.PreCandidate, "it asked anew, and that was lost");
});

test("the asker's round is still open when the longest lease ends", () => {
  const story = ledBy1([1, 2, 3], { random: { below: () => 0 } });
  story.cluster.crash(1);
  story.tick(3, 100);
  // 2 has just heard the leader.
  story.get(2).node.core.electionElapsed = 0;
  story.settle();
  for (let tick = 0; tick < 99; tick++) {
    for (const id of [2, 3]) story.tick(id, 1);
    story.settle();
  }
  assert.equal(story.get(3).node.core.role, Role.PreCandidate);
  const { voteRound } = story.get(3).node.core;
  story.tick(2, 1);
  story.settle();
  assert(story.get(3).node.isLeader());
  assert.equal(story.get(3).node.core.voteRound, voteRound + 1, "pre-vote and vote, one each");
});

test("P6: evidence ends the lease, and what waits for it is answered at once", () => {
  for (const evidence of ["gone", "session"] as const) {
    const story = ledBy1([1, 2, 3]);
    answersOf(story, 2, preVote(story, 3, 2, 2));
    const { node } = story.get(2);
    if (evidence === "gone") node.leaderGone(1, story.get(1).session);
    else node.peerSession(1, 999, 1, 1);
    assert.deepEqual(answersOf(story, 2), ["3 granted 7"], evidence);
    if (evidence === "session") continue;
    // A false alarm: it was no reason to grant.
    assert.deepEqual(answersOf(story, 2, story.message(MessageType.Heartbeat, 1, 2, 1)), [
      "3 reject 7",
    ]);
  }
});

test("P5: what quiet start kept waits on for the lease, if it ends in one", () => {
  const story = ledBy1([1, 2, 3], { quiet: false });
  story.cluster.dropTraffic(2);
  story.get(2).restart({ quiet: true });
  story.cluster.hello(2, 3);
  assert.deepEqual(answersOf(story, 2, preVote(story, 3, 2, 2)), []);
  story.tick(2, 50);
  assert.deepEqual(answersOf(story, 2), [], "no leader, no lease, but quiet");
  // The leader has not heard its hello: quiet goes on, and refuses nobody.
  const heartbeat = story.message(MessageType.Heartbeat, 1, 2, 1);
  heartbeat.toSession = 0;
  assert.deepEqual(answersOf(story, 2, heartbeat), []);
  assert(story.get(2).node.status().quiet);
  story.get(2).node.endQuiet();
  assert.deepEqual(answersOf(story, 2), []);
  outlast(story, 2);
  assert.deepEqual(answersOf(story, 2), ["3 granted 7"]);
});

test("P7: what counts as an answer at the election is the vote, not the late pre-vote", () => {
  const story = ledBy1([1, 2, 3, 4, 5], { random: { below: () => 0 } });
  story.cluster.crash(1);
  story.tick(2, 100);
  story.settle();
  story.tick(4, 100);
  story.tick(5, 100);
  for (const id of [3, 4, 5]) outlast(story, id);
  story.settle(2, 3, 4);
  const { core } = story.get(2).node;
  assert(core.state.role === Role.Leader);
  const silent = core.now - core.state.answerTickOf(5);
  assert(silent > 100, "5 has granted the pre-vote and was not heard since");
});

test("several wait for the end of a lease: one is granted, by all voters the same", () => {
  const story = ledBy1([1, 2, 3, 4, 5]);
  const ask = (from: NodeId, to: NodeId): Message => preVote(story, from, to, 2, from);
  answersOf(story, 4, ask(3, 4), ask(2, 4));
  answersOf(story, 5, ask(2, 5), ask(3, 5));
  for (const id of [4, 5]) {
    outlast(story, id);
    assert.deepEqual(answersOf(story, id), ["2 granted 2", "3 reject 3"]);
  }

  const longer = ask(3, 4);
  longer.index = 2;
  const old = ask(5, 4);
  old.term = 1;
  story.get(4).node.step(story.message(MessageType.Heartbeat, 1, 4, 1));
  answersOf(story, 4, ask(2, 4), longer, old);
  outlast(story, 4);
  const answers = ["3 granted 3", "2 reject 2"];
  assert.deepEqual(answersOf(story, 4), answers, "who has the longer log");

  story.get(5).node.step(story.message(MessageType.Heartbeat, 1, 5, 1));
  longer.to = 5;
  longer.toSession = story.get(5).session;
  const newer = preVote(story, 2, 5, 3, 8);
  answersOf(story, 5, longer, newer);
  story.get(5).node.core.becomeFollower(2, 0);
  story.tick(5, 1);
  assert.deepEqual(answersOf(story, 5), ["3 reject 3", "2 granted 8"], "whom the term allows");
});

test("two who asked too early: one becomes leader as soon as the leases end, in one round", () => {
  const story = ledBy1([1, 2, 3, 4, 5], { random: { below: () => 50 } });
  story.cluster.crash(1);
  for (const id of [2, 3]) outlast(story, id);
  story.get(2).node.campaign();
  story.get(3).node.campaign();
  story.ready(2);
  story.ready(3);
  story.deliver(5, 3);
  story.settle();
  for (const id of [4, 5]) outlast(story, id);
  story.settle();
  assert(story.get(2).node.isLeader());
  assert.deepEqual([story.get(3).node.term(), story.get(3).node.status().vote], [2, 2]);
});

test("a new process of a voter is asked again in the same pre-vote round", () => {
  const story = ledBy1([1, 2, 3]);
  story.cluster.crash(1);
  outlast(story, 3);
  story.get(3).node.campaign();
  story.settle();
  assert(story.get(2).node.core.kept.isWaiting);
  story.cluster.dropTraffic(2);
  story.get(2).restart({});
  story.cluster.hello(2, 3);
  story.settle();
  assert(story.get(3).node.isLeader());
});

// ---- Nobody's term is in danger -----------------------------------------------------------------

const flapTimeout = 20;

/** Members without delays, whose links fail one way and for a while. */
class Flaps {
  readonly story: Story;
  readonly #prng: Prng;
  /** `from to` → ticks that it stays down. */
  readonly #down: Map<string, number>;
  candidacies: number;
  takenBack: number;

  constructor(seed: number, voters: number, options: StoryOptions) {
    this.#prng = new Prng(`flaps ${seed}`);
    const ids = Array.from({ length: voters }, (_, i) => i + 1);
    this.story = new Story(ids, {
      ...options,
      electionTimeoutTicks: flapTimeout,
      electionTimeoutRandomizationTicks: flapTimeout,
      heartbeatTicks: 2,
      random: { below: (n) => this.#prng.below(n) },
    });
    this.#down = new Map();
    this.candidacies = 0;
    this.takenBack = 0;
  }

  tick(): void {
    for (const [link, ticks] of this.#down) {
      if (ticks > 1) this.#down.set(link, ticks - 1);
      else this.#down.delete(link);
    }
    const { members } = this.story.cluster;
    for (const from of members.keys()) {
      for (const to of members.keys()) {
        if (!this.#prng.chance(0.008)) continue;
        this.#down.set(`${from} ${to}`, flapTimeout / 2 + this.#prng.below(2 * flapTimeout));
      }
    }
    for (const member of members.values()) {
      member.node.tick();
      this.#work(member);
      this.#deliverAll();
    }
  }

  #deliverAll(): void {
    const { network } = this.story.cluster;
    for (let i = 0; i < network.length; i++) {
      const item = network[i]!;
      const { from, to, type, reject } = item.message;
      if (this.#down.has(`${from} ${to}`)) continue;
      const member = this.story.get(to);
      const { core } = member.node;
      const { role, state } = core;
      const isRefusal = type === MessageType.PreVoteResponse && reject;
      if (isRefusal && state.role === Role.PreCandidate && state.votes.get(from) === true) {
        this.takenBack++;
      }
      this.story.cluster.deliver(item);
      const isNew = core.role === Role.Candidate && role === Role.PreCandidate;
      if (isNew) this.#checkCandidacy();
      this.#work(member);
    }
    network.length = 0;
  }

  /** What pre-vote promises: a majority misses the leader, now. */
  #checkCandidacy(): void {
    this.candidacies++;
    const members = this.story.cluster.up;
    const missing = members.filter(({ node }) => !node.core.inLease());
    assert(missing.length >= quorumOf(members.length), "a majority has no leader at one time");
  }

  #work(member: TestMember): void {
    this.story.ready(member.id);
  }
}

test("still nobody raises a term unless a majority misses the leader at one time", (t) => {
  let candidacies = 0;
  let takenBack = 0;
  for (let seed = 1; seed <= 30; seed++) {
    const voters = [3, 5, 7][seed % 3]!;
    const ranked = seed % 2 === 0 ? { electionRankSlotTicks: 3 } : {};
    const flaps = new Flaps(seed, voters, { ...late, ...ranked });
    try {
      for (let tick = 0; tick < 1500; tick++) flaps.tick();
    } catch (error) {
      throw new Error(`seed ${seed}: ${String(error)}`, { cause: error });
    }
    candidacies += flaps.candidacies;
    takenBack += flaps.takenBack;
  }
  t.diagnostic(`${candidacies} candidacies, ${takenBack} grants taken back`);
  assert(candidacies > 50 && takenBack > 20, `${candidacies} ${takenBack}`);
});
