// The breaker of a follower in a whole core (tracker/breaker.ts has its rules): what opens it and closes
// it, and what leaves meanwhile.
import assert from "node:assert/strict";
import { test } from "node:test";
import { MessageType } from "../message.ts";
import { StallCause } from "../status.ts";
import type { StallStatus } from "../status.ts";
import { Story } from "./story.ts";

const second = 100;

function stall(story: Story): StallStatus | null {
  const { progress } = story.get(1).node.status();
  return progress.find(({ id }) => id === 3)?.stall ?? null;
}

/** Appends to 3 that left in so many ticks, while its heartbeats are answered and no append arrives. */
function appends(story: Story, ticks: number): number {
  let count = 0;
  for (let tick = 0; tick < ticks; tick += 10) {
    story.tick(1, 10);
    story.ready(1);
    count += story.sent(MessageType.AppendEntries, 3).length;
    const answers = story.sent(MessageType.Heartbeat, 3).map((heartbeat) => {
      const answer = story.message(MessageType.HeartbeatResponse, 3, 1, 1);
      answer.number = heartbeat.number;
      return answer;
    });
    story.drop(3);
    for (const answer of answers) story.get(1).node.step(answer);
    story.settle(1, 2);
    count += story.sent(MessageType.AppendEntries, 3).length;
    story.drop(3);
  }
  return count;
}

test("a follower that refuses the same append for ever is sent one a second, the others as ever", () => {
  const story = new Story([1, 2, 3]);
  story.elect(1);
  story.propose(1, "a");
  story.settle();
  const refusal = story.message(MessageType.AppendResponse, 3, 1, 1);
  refusal.reject = true;
  refusal.index = 2;
  for (let n = 0; n < 150; n++) story.get(1).node.step(refusal);
  assert.equal(stall(story)?.cause, StallCause.Refusals);
  story.propose(1, "b");
  const count = appends(story, 5 * second);
  assert(count >= 4 && count <= 6, `${count} appends in five seconds`);
  assert.equal(story.get(2).durableLogEnd, story.get(1).durableLogEnd);
  // One is refused, for what it lacks was lost; the one a second later fits.
  for (let round = 0; round < 3 * (second / 10); round++) {
    story.tick(1, 10);
    story.settle();
  }
  assert.equal(stall(story), null, "it has taken one");
});

test("what is sent in vain is counted over all processes; one that has got further is forgiven", () => {
  const story = new Story([1, 2, 3], { futileBytesMax: 1000 });
  story.elect(1);
  story.settle();
  const { node } = story.get(1);
  const last = node.lastIndex();
  story.propose(1, "x".repeat(300));
  story.ready(1);
  story.drop(3);
  story.settle(1, 2);
  story.drop(3);
  let session = 1_000_000;
  /** How many appends left at once. */
  const restart = (lastIndex: number): number => {
    node.peerSession(3, ++session, 1, lastIndex);
    story.ready(1);
    const { length } = story.sent(MessageType.AppendEntries, 3);
    story.drop(3);
    return length;
  };
  for (let n = 0; n < 8 && stall(story) === null; n++) restart(last);
  assert.equal(stall(story)?.cause, StallCause.Bytes);
  assert.equal(stall(story)?.index, last);
  assert.equal(restart(last), 0, "not within the second");
  assert.equal(stall(story)?.cause, StallCause.Bytes);
  assert.equal(restart(last + 1), 1);
  assert.equal(stall(story), null);
});
