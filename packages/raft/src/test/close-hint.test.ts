// The close hint's turns (P6), where the transcripts would not show it: who waits how long before an
// own candidacy, after a round in vain and after giving way, and that no wait is shortened by it.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Prng } from "@quorate/base";
import { MessageType } from "../message.ts";
import { Role } from "../types.ts";
import type { NodeId } from "../types.ts";
import type { InFlight } from "./cluster.ts";
import { Story } from "./story.ts";
import type { StoryOptions } from "./story.ts";

const slot = 30;
const least = { below: (): number => 0 };
const most = { below: (n: number): number => n - 1 };

/** Led by 1, which has told ranks if there are any; its process is known to be dead to `hinted`. */
function bereaved(
  ids: readonly NodeId[],
  hinted: readonly NodeId[],
  options: StoryOptions = {},
): Story {
  const story = new Story(ids, options);
  story.elect(1);
  story.pass(10);
  const { session } = story.get(1);
  story.cluster.crash(1);
  for (const id of hinted) story.get(id).node.leaderGone(1, session);
  return story;
}

/** Ticks until the own candidacy is due by the evidence. */
function dueIn(story: Story, id: NodeId): number {
  const { hint, now } = story.get(id).node.core;
  assert(hint.active);
  return hint.campaignTick - now;
}

function roleOf(story: Story, id: NodeId): Role {
  return story.get(id).node.core.role;
}

test("P6: the successor of rank r waits 20 ms, two slots for each before it, and the ranks' jitter", () => {
  const jitter = 2;
  const ranked = { electionRankSlotTicks: slot, electionRankJitterTicks: jitter };
  for (const [random, added] of [
    [least, 0],
    [most, jitter],
  ] as const) {
    const story = bereaved([1, 2, 3, 4], [2, 3, 4], { ...ranked, random });
    const waits = [2, 3, 4].map((id) => dueIn(story, id) - added);
    assert.deepEqual(waits, [2, 2 + 2 * slot, 2 + 4 * slot]);
  }
});

test("P6: rounds in vain are repeated within windows that double, up to that of election timers", () => {
  for (const [random, expected] of [
    [most, [15, 30, 60, 100, 100]],
    [least, [5, 10, 20, 33, 33]],
  ] as const) {
    // 3 has no evidence, and refuses for the sake of its lease.
    const story = bereaved([1, 2, 3], [2], { random, electionTimeoutRandomizationTicks: 100 });
    const waits: number[] = [];
    while (waits.length < expected.length) {
      story.tick(2, dueIn(story, 2));
      assert.equal(roleOf(story, 2), Role.PreCandidate);
      story.get(3).node.core.electionElapsed = 0;
      story.settle();
      assert.equal(roleOf(story, 2), Role.Follower);
      waits.push(dueIn(story, 2));
    }
    assert.deepEqual(waits, expected);
  }
});

test("P6: with slots a window begins at two of them, and new evidence begins anew", () => {
  const options = {
    electionRankSlotTicks: slot,
    electionTimeoutRandomizationTicks: 0,
    random: most,
  };
  const story = bereaved([1, 2, 3], [2], options);
  const { hint } = story.get(2).node.core;
  for (let round = 0; round < 3; round++) {
    hint.roundLost(0);
    assert.equal(hint.campaignTick, 2 * slot, "the timers' window is smaller, and does not count");
  }
  const free = bereaved([1, 2, 3], [2], { ...options, electionTimeoutRandomizationTicks: 1000 });
  const { core } = free.get(2).node;
  for (const ticks of [2 * slot, 4 * slot]) {
    core.hint.roundLost(0);
    assert.equal(core.hint.campaignTick, ticks);
  }
  core.hint.begin(1, free.get(1).session, 1, 0);
  core.hint.roundLost(0);
  assert.equal(core.hint.campaignTick, 2 * slot);
});

test("P6: who grants a pre-vote waits a while longer, never less long than before", () => {
  for (const [options, waits] of [
    [{}, [5, 15]],
    [{ electionRankSlotTicks: slot }, [2 * slot, 4 * slot]],
  ] as const) {
    for (const [random, wait] of [
      [least, waits[0]],
      [most, waits[1]],
    ] as const) {
      const story = bereaved([1, 2, 3, 4], [2, 4], { ...options, random });
      const before = dueIn(story, 4);
      const request = story.message(MessageType.PreVote, 2, 4, 2);
      request.index = 1;
      request.logTerm = 1;
      story.get(4).node.step(request);
      assert.equal(dueIn(story, 4), Math.max(before, wait));
    }
  }
});

test("P6: who grants a vote waits an election timeout: the candidate had a majority's pre-votes", () => {
  const story = bereaved([1, 2, 3], [2, 3], { random: least });
  const request = story.message(MessageType.Vote, 2, 3, 2);
  request.index = 1;
  request.logTerm = 1;
  story.get(3).node.step(request);
  const { core } = story.get(3).node;
  assert.equal(core.vote, 2);
  assert.equal(dueIn(story, 3), core.electionTimeout);
  // Then it tries, by the timer if not by the evidence.
  story.tick(3, core.electionTimeout);
  assert.equal(roleOf(story, 3), Role.PreCandidate);
});

test("P6: of two that ask at one time the better is left: by the log, then the lower raft id", () => {
  for (const [index, from, isLeft] of [
    [1, 2, false],
    [1, 4, true],
    [2, 4, false],
  ] as const) {
    const story = bereaved([1, 2, 3, 4], [3], { random: least });
    story.tick(3, 2);
    story.ready(3);
    assert.equal(roleOf(story, 3), Role.PreCandidate);
    story.drop();
    const request = story.message(MessageType.PreVote, from, 3, 2);
    request.index = index;
    request.logTerm = 1;
    story.get(3).node.step(request);
    assert.equal(roleOf(story, 3) === Role.PreCandidate, isLeft, `${index} of ${from}`);
    story.ready(3);
    const [answer] = story.sent(MessageType.PreVoteResponse, from);
    assert(answer !== undefined);
    assert(!answer.reject, "granted in any case");
  }
});

test("P6: who grants a vote while it asks, asks no more", () => {
  for (const hinted of [[3], []]) {
    const story = bereaved([1, 2, 3, 4], hinted, { random: least });
    story.tick(3, hinted.length > 0 ? 2 : 100);
    const { core } = story.get(3).node;
    assert.equal(core.role, Role.PreCandidate);
    // Of the term that it knows by now, so that no newer one ends its round.
    core.term = 2;
    core.vote = 0;
    const request = story.message(MessageType.Vote, 4, 3, 2);
    request.index = 1;
    request.logTerm = 1;
    story.get(3).node.step(request);
    assert.equal(core.vote, 4);
    assert.equal(core.role, hinted.length > 0 ? Role.Follower : Role.PreCandidate);
  }
});

test("P6: a newer term is another's candidacy: way is given, whatever told it", () => {
  const story = bereaved([1, 2, 3, 4], [3], { random: least });
  story.tick(3, 2);
  const { core } = story.get(3).node;
  assert.equal(core.role, Role.PreCandidate);
  const refusal = story.message(MessageType.PreVoteResponse, 4, 3, 2);
  refusal.reject = true;
  refusal.number = core.voteRound;
  story.get(3).node.step(refusal);
  assert.equal(core.term, 2);
  assert.equal(dueIn(story, 3), 5);
  story.tick(3, 4);
  assert.equal(core.role, Role.Follower);
});

test("P6: without evidence nobody stops asking because another one asks", () => {
  const story = bereaved([1, 2, 3], [], { random: least });
  story.tick(3, 100);
  assert.equal(roleOf(story, 3), Role.PreCandidate);
  const request = story.message(MessageType.PreVote, 2, 3, 2);
  request.index = 1;
  request.logTerm = 1;
  story.get(3).node.step(request);
  assert.equal(roleOf(story, 3), Role.PreCandidate);
});

test("P6: a best one that cannot win does not keep the others from it", (t) => {
  // All give way to 2, which has the lowest raft id; its own rounds are always refused. A message
  // takes 100 ms, so that it can interrupt theirs.
  const wayTicks = 10;
  const took: number[] = [];
  let interrupting = 0;
  for (let seed = 1; seed <= 40; seed++) {
    const random = new Prng(`refused ${seed}`);
    const story = bereaved([1, 2, 3, 4, 5], [2, 3, 4, 5], { random });
    const isWon = (): boolean => [3, 4, 5].some((id) => story.get(id).node.isLeader());
    const onTheWay: { due: number; item: InFlight }[] = [];
    let now = 0;
    for (; now < 1000 && !isWon(); now++) {
      while (onTheWay[0]?.due === now) {
        const { message } = onTheWay[0].item;
        if (message.type === MessageType.PreVoteResponse && message.to === 2) {
          message.reject = true;
          message.term = story.get(2).node.core.term;
        }
        if (message.type === MessageType.PreVote && message.from === 2) interrupting++;
        story.cluster.deliver(onTheWay.shift()!.item);
      }
      for (const { node, id } of story.cluster.up) {
        node.tick();
        story.ready(id);
      }
      for (const item of story.take(() => true)) onTheWay.push({ due: now + wayTicks, item });
    }
    took.push(now);
  }
  took.sort((a, b) => a - b);
  t.diagnostic(`ticks: median ${took[20]}, most ${took[39]}; ${interrupting} questions`);
  assert(interrupting > 40 * 4, "it asks more than once");
  assert(took[39]! < 200, "within two election timeouts");
});
