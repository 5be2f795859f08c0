// Lesson 5: a member's disk was slow with a leader's tail; before it had answered, the next leader
// replaced that tail. What the disk then says is about entries that are no more: those at their
// places now are not durable yet, may not count as such, and may not be applied (S6, S7).
import { type Story, story } from "../story.ts";

export const lateWordOfAReplacedBatch: Story = story(
  "late-word-of-a-replaced-batch",
  { durableSample: 10 },
  (s) => {
    s.found();
    for (let round = 1; round <= 4; round++) {
      const old = s.waitForLeader(20 * s.timeoutMs);
      const others = s.others(old);
      s.run(100);
      // It is not heard, but hears: the first entries of the next leader reach it.
      for (const other of others) s.cutOneWay(old, other);
      s.disk(old).stall(4 * s.timeoutMs);
      s.puts(old, 20, 500);
      s.run(10);
      const leader = s.waitForLeader(3 * s.timeoutMs, others);
      const { term } = s.status(leader);
      const replaced = (): boolean => s.inside(old)!.raft.termAt(s.status(old).lastIndex) === term;
      s.waitFor("its tail is replaced", s.timeoutMs, replaced);
      const { durableIndex, lastIndex } = s.status(old);
      s.expect("and the disk has not answered", durableIndex < lastIndex);
      s.heal();
      s.fill(leader, 30, 500);
    }
  },
);
