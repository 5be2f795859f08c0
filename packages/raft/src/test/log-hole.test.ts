// A member whose log has lost its end and knows where it was (reliability.md §3.3 row 3): what the
// transcripts log-hole-*.txt do not show. It leads nobody, and nothing it says is less than it promised.
import assert from "node:assert/strict";
import { test } from "node:test";
import { MessageType } from "../message.ts";
import { Story } from "./story.ts";

/** 1 leads; 3 has acknowledged entries up to 4 in term 1, and has lost those above 2. */
function begin(): Story {
  const story = new Story([1, 2, 3]);
  story.elect(1);
  story.propose(1, "a", "b", "c");
  story.settle();
  story.cluster.crash(3);
  story.get(3).loseEntries(2);
  story.get(3).restart({});
  return story;
}

test("told to campaign at once, it does not", () => {
  const story = begin();
  const member = story.get(3);
  member.node.step(story.message(MessageType.TimeoutNow, 1, 3, 1));
  story.ready(3);
  assert.equal(member.node.term(), 1);
  assert.deepEqual(story.sent(MessageType.Vote), []);
});

test("its hello tells the promised end until the entry that ends the promise is durable", () => {
  const story = begin();
  const member = story.get(3);
  const told = (): number => member.node.status().attestedIndex;
  assert.equal(told(), 4);
  assert(!story.cluster.hello(1, 3), "it is not taken for a disk that forgot");
  member.asyncDisk = true;
  story.settle(1, 3);
  assert.equal(member.node.promised(), null, "the promise is met");
  assert.equal(member.node.status().durableIndex, 2);
  assert.equal(told(), 4);
  member.asyncDisk = false;
  story.settle(1, 3);
  assert.equal(member.node.status().durableIndex, 4);
  assert.equal(told(), 4);
});

test("a restart in the middle of it goes on where it was", () => {
  const story = new Story([1, 2, 3], { messageBytesMax: 1, inflightMessagesMax: 1 });
  story.elect(1);
  story.propose(1, "a", "b", "c", "d");
  story.settle();
  story.cluster.crash(3);
  const member = story.get(3);
  member.loseEntries(1);
  member.restart({});
  story.cluster.hello(1, 3);
  for (let round = 0; member.durableLogEnd < 3; round++) {
    assert(round < 20, "entries come");
    for (const id of [1, 3]) story.get(id).takeReady(story.cluster.send);
    for (const id of [1, 3]) story.get(id).persistOne(story.cluster.send);
    story.deliver(3, 1);
    story.deliver(1, 3);
  }
  assert.deepEqual(member.node.promised(), { index: 5, term: 1 });
  story.cluster.crash(3);
  member.restart({});
  assert.equal(member.node.lastIndex(), 3);
  assert.deepEqual(member.node.promised(), { index: 5, term: 1 });
  assert.equal(member.node.status().attestedIndex, 5);
});

test("what is not its own is not taken back", () => {
  const story = begin();
  const { node } = story.get(3);
  const whole = story.get(1).entriesFrom(3);
  assert(!node.mended(story.get(1).entriesFrom(4)), "a gap");
  assert(!node.mended(story.get(1).entriesFrom(2)), "what is there");
  story.propose(1, "d");
  story.settle(1);
  const beyond = story.get(1).entriesFrom(3);
  assert(beyond.length > 2);
  assert(!node.mended(beyond), "more than was promised");
  assert.equal(node.lastIndex(), 2);
  assert(node.mended(whole.slice(0, 1)));
  assert.deepEqual(node.promised(), { index: 4, term: 1 });
  assert(node.mended(whole.slice(1)));
  assert.equal(node.promised(), null);
  assert(!node.mended([]), "nothing is missing");
});
