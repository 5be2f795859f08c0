// Figure 2 of the Raft paper (extended version), claim by claim. Where this core goes further
// (pre-vote, leases) the story is set up so that the paper's rule is what decides.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Entry } from "../entry.ts";
import { MessageType } from "../message.ts";
import type { Message } from "../message.ts";
import { ProgressKind } from "../status.ts";
import { ConfState, Role } from "../types.ts";
import { Story } from "./story.ts";

const conf = new ConfState([1, 2, 3], [], [], [], false);

function entries(first: number, ...terms: readonly number[]): Entry[] {
  return terms.map((term, i) => new Entry(term, first + i, 16, 1, 0, new Uint8Array(0)));
}

/** Member 2 with a log of these terms; messages come from 1, answers are looked at. */
class Receiver {
  readonly story: Story;

  constructor(...terms: readonly number[]) {
    this.story = new Story([]);
    this.story.add(1, {}, conf);
    this.story.add(2, {}, conf, terms);
    this.story.add(3, {}, conf);
  }

  append(term: number, index: number, logTerm: number, added: Entry[], commit: number): Message {
    const message = this.story.message(MessageType.AppendEntries, 1, 2, term);
    message.index = index;
    message.logTerm = logTerm;
    message.entries = added;
    message.commit = commit;
    return this.#answer(message, MessageType.AppendResponse);
  }

  vote(from: number, term: number, index: number, logTerm: number): Message {
    const message = this.story.message(MessageType.Vote, from, 2, term);
    message.index = index;
    message.logTerm = logTerm;
    // The paper knows no lease.
    message.transfer = true;
    return this.#answer(message, MessageType.VoteResponse);
  }

  #answer(message: Message, type: MessageType): Message {
    this.story.drop();
    this.story.get(2).node.step(message);
    this.story.ready(2);
    const answer = this.story.sent(type).at(-1);
    assert(answer !== undefined);
    return answer;
  }

  get terms(): number[] {
    return this.story.terms(2);
  }
}

test("state: term, vote and log survive a crash", () => {
  const receiver = new Receiver();
  receiver.append(3, 0, 0, entries(1, 2, 3), 0);
  receiver.vote(3, 4, 9, 9);
  const member = receiver.story.get(2);
  member.restart({});
  assert.equal(member.node.status().term, 4);
  assert.equal(member.node.status().vote, 3);
  assert.deepEqual(receiver.terms, [2, 3]);
});

test("state: a new leader starts with nextIndex behind its last entry and matchIndex 0", () => {
  const story = new Story([]);
  for (const id of [1, 2, 3]) story.add(id, {}, conf, [1, 1]);
  story.get(2).isUp = false;
  story.get(1).node.campaign();
  while (!story.get(1).node.isLeader()) {
    story.ready(1);
    story.deliver(3);
    story.ready(3);
    story.deliver(1);
  }
  const progress = story
    .get(1)
    .node.status()
    .progress.find(({ id }) => id === 2)!;
  assert.deepEqual([progress.match, progress.next], [0, 3]);
});

test("AppendEntries 1: false if the term is older than the receiver's", () => {
  const receiver = new Receiver(1, 2);
  receiver.vote(3, 5, 9, 9);
  const answer = receiver.append(4, 2, 2, entries(3, 4), 3);
  assert(answer.reject);
  assert.equal(answer.term, 5);
  assert.deepEqual(receiver.terms, [1, 2]);
});

test("AppendEntries 2: false if the log has no entry at prevLogIndex with prevLogTerm", () => {
  for (const [index, logTerm] of [
    [3, 2],
    [2, 1],
  ] as const) {
    const receiver = new Receiver(1, 2);
    const answer = receiver.append(4, index, logTerm, entries(index + 1, 4), 0);
    assert(answer.reject);
    assert.deepEqual(receiver.terms, [1, 2]);
  }
});

test("AppendEntries 3: a conflicting entry goes, and all that follow it", () => {
  const receiver = new Receiver(1, 1, 2, 2, 2);
  assert(!receiver.append(4, 2, 1, entries(3, 4), 0).reject);
  assert.deepEqual(receiver.terms, [1, 1, 4]);
});

test("AppendEntries 4: entries not yet there are appended, those that are there stay", () => {
  const receiver = new Receiver(1, 1, 2);
  assert.equal(receiver.append(4, 1, 1, entries(2, 1, 2, 4, 4), 0).index, 5);
  assert.deepEqual(receiver.terms, [1, 1, 2, 4, 4]);
  // A late message that brings less cuts nothing off.
  assert.equal(receiver.append(4, 1, 1, entries(2, 1), 0).index, 2);
  assert.deepEqual(receiver.terms, [1, 1, 2, 4, 4]);
});

test("AppendEntries 5: commitIndex is the lower of leaderCommit and the last new entry", () => {
  const committed = (receiver: Receiver): number => receiver.story.get(2).node.status().committed;
  const short = new Receiver(1, 1, 1);
  short.append(1, 1, 1, entries(2, 1), 3);
  assert.equal(committed(short), 2);
  const long = new Receiver(1, 1, 1);
  long.append(1, 2, 1, entries(3, 1), 1);
  assert.equal(committed(long), 1);
});

test("RequestVote 1: false if the term is older than the receiver's", () => {
  const receiver = new Receiver(1);
  receiver.vote(3, 5, 9, 9);
  const answer = receiver.vote(1, 4, 9, 9);
  assert(answer.reject);
  assert.equal(answer.term, 5);
});

test("RequestVote 2: granted if not voted for another, and the log is at least as up to date", () => {
  const cases: readonly (readonly [index: number, logTerm: number, granted: boolean])[] = [
    [2, 2, true],
    [3, 2, true],
    [1, 3, true],
    [1, 2, false],
    [9, 1, false],
  ];
  for (const [index, logTerm, granted] of cases) {
    const receiver = new Receiver(1, 2);
    assert.equal(!receiver.vote(1, 3, index, logTerm).reject, granted, `${logTerm}/${index}`);
  }
  const receiver = new Receiver(1, 2);
  assert(!receiver.vote(1, 3, 2, 2).reject);
  assert(!receiver.vote(1, 3, 2, 2).reject, "the same candidate again");
  assert(receiver.vote(3, 3, 2, 2).reject, "another one");
});

test("all servers: committed entries are applied, in log order", () => {
  const receiver = new Receiver(1, 1, 1);
  receiver.append(1, 3, 1, [], 3);
  assert.deepEqual(
    receiver.story.get(2).applied.map(({ index }) => index),
    [1, 2, 3],
  );
});

test("all servers: a higher term in any message is taken over, and makes a follower", () => {
  const ask = [MessageType.AppendEntries, MessageType.Heartbeat, MessageType.Vote];
  const answer = [
    MessageType.AppendResponse,
    MessageType.HeartbeatResponse,
    MessageType.VoteResponse,
  ];
  for (const type of [...ask, ...answer]) {
    const story = new Story([1, 2, 3]);
    story.elect(1);
    const message = story.message(type, 2, 1, 7);
    // A lease protects from mere candidates, not from what has happened (thesis §6.2).
    message.transfer = true;
    story.get(1).node.step(message);
    assert.equal(story.get(1).node.term(), 7);
    assert.equal(story.get(1).node.core.role, Role.Follower);
  }
});

test("followers: become candidates when they neither hear a leader nor grant a vote for a timeout", () => {
  const role = (keepAlive: "append" | "heartbeat" | "vote" | "nothing"): Role => {
    const receiver = new Receiver(1);
    const { node } = receiver.story.get(2);
    for (let i = 0; i < 3; i++) {
      for (let tick = 0; tick < 60; tick++) node.tick();
      if (keepAlive === "append") receiver.append(1, 1, 1, [], 0);
      if (keepAlive === "vote") receiver.vote(3, 1 + i, 1, 1);
      if (keepAlive === "heartbeat") {
        node.step(receiver.story.message(MessageType.Heartbeat, 1, 2, 1));
      }
    }
    return node.core.role;
  };
  assert.equal(role("append"), Role.Follower);
  assert.equal(role("heartbeat"), Role.Follower);
  assert.equal(role("vote"), Role.Follower);
  assert.equal(role("nothing"), Role.PreCandidate);
});

test("candidates: increment the term, vote for themselves, reset the timer, ask everybody", () => {
  const story = new Story([1, 2, 3]);
  const { node } = story.get(1);
  story.tick(1, 100);
  story.ready(1);
  story.deliver(2);
  story.ready(2);
  story.deliver(1);
  story.drop();
  story.ready(1);
  assert.equal(node.core.role, Role.Candidate);
  assert.equal(node.term(), 1);
  assert.equal(node.status().vote, 1);
  assert.equal(node.core.electionElapsed, 0);
  assert.deepEqual(
    story.sent(MessageType.Vote).map(({ to, term }) => [to, term]),
    [
      [2, 1],
      [3, 1],
    ],
  );
});

test("candidates: a majority of votes makes a leader; fewer do not", () => {
  const story = new Story([1, 2, 3, 4, 5]);
  const { node } = story.get(1);
  node.campaign();
  story.settle(1, 2, 3);
  assert(node.isLeader());
  const lone = new Story([1, 2, 3, 4, 5]);
  lone.get(1).node.campaign();
  lone.settle(1, 2);
  assert(!lone.get(1).node.isLeader());
});

test("candidates: the leader of the term makes them followers", () => {
  const story = new Story([1, 2, 3]);
  story.get(1).node.campaign();
  story.settle(1, 2);
  story.get(1).node.core.becomeFollower(2, 0);
  story.get(1).node.core.becomeCandidate();
  story.get(1).node.step(story.message(MessageType.AppendEntries, 3, 1, 3));
  assert.equal(story.get(1).node.core.role, Role.Follower);
  assert.equal(story.get(1).node.leader(), 3);
});

test("candidates: a timeout starts a new election", () => {
  const story = new Story([1, 2, 3]);
  const { core } = story.get(1).node;
  core.becomeCandidate();
  story.tick(1, 100);
  story.settle();
  assert.equal(core.role, Role.Leader);
  assert.equal(core.term, 2);
});

test("leaders: tell everybody at once, and again while idle, so that nobody else campaigns", () => {
  const story = new Story([1, 2, 3]);
  story.elect(1);
  assert.equal(story.get(2).node.leader(), 1);
  assert.equal(story.get(3).node.leader(), 1);
  story.pass(500);
  assert.equal(story.get(1).node.term(), 1);
  assert(story.get(1).node.isLeader());
});

test("leaders: append what clients ask for, and it is answered once applied", () => {
  const story = new Story([1, 2, 3]);
  story.elect(1);
  story.propose(1, "a");
  assert.deepEqual(story.terms(1), [1, 1]);
  story.ready(1);
  assert.equal(story.get(1).appliedIndex, 1);
  story.settle();
  assert.deepEqual(story.texts(1), ["", "a"]);
});

test("leaders: send entries from nextIndex on; success moves match and next, refusal moves next back", () => {
  const story = new Story([]);
  story.add(1, {}, conf, [1, 1, 2]);
  story.add(2, {}, conf, [1, 1, 2]);
  story.add(3, {}, conf, [1]);
  story.get(1).node.campaign();
  story.settle(1, 2);
  const third = (): string => {
    const { kind, match, next } = story
      .get(1)
      .node.status()
      .progress.find(({ id }) => id === 3)!;
    return `${kind} ${match} ${next}`;
  };
  assert.equal(third(), `${ProgressKind.Probe} 0 4`);
  story.deliver(3);
  story.ready(3);
  story.deliver(1);
  assert.equal(third(), `${ProgressKind.Probe} 0 2`, "its hint names index 1");
  story.ready(1);
  story.deliver(3);
  story.ready(3);
  story.deliver(1);
  assert.equal(third(), `${ProgressKind.Replicate} 4 5`);
});

test("leaders: commit what a majority has matched, if it is of their own term", () => {
  const story = new Story([1, 2, 3, 4, 5]);
  story.elect(1);
  story.propose(1, "a");
  story.settle(1, 2);
  assert.equal(story.get(1).node.status().committed, 1, "two of five");
  story.settle(1, 3);
  assert.equal(story.get(1).node.status().committed, 2, "three of five");
});
