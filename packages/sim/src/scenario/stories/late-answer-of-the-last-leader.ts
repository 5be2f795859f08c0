// DESIGN.md 22: a follower forwards a write; its leader appends it and hands leadership over, and the
// next leader commits it. When the last leader's answer comes at last, the follower has applied the
// entry: its client may hear that the outcome is unknown, never that the write was not committed.
import { type Story, story } from "../story.ts";

export const lateAnswerOfTheLastLeader: Story = story("late-answer-of-the-last-leader", {}, (s) => {
  s.found();
  for (let round = 1; round <= 4; round++) {
    const last = s.waitForLeader(20 * s.timeoutMs);
    const [asker, heir] = s.others(last) as [string, string];
    s.run(s.timeoutMs);
    s.delay(last, asker, 100);
    const index = s.status(last).lastIndex + 1;
    const write = s.put(asker);
    s.waitFor("the heir has the write", 100, () => s.status(heir).lastIndex >= index);
    s.transfer(heir);
    s.waitFor("the asker has applied it", 90, () => s.status(asker).applied >= index);
    s.waitFor("the asker hears of it", 5_000, () => !write.pending);
    s.expect("not that it was refused", !write.refused);
    s.delay(last, asker, 0);
  }
});
