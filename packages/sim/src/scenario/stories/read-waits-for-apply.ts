// Thesis §6.4: a read index is only half of a linearizable read. The leader confirms a read of a
// follower that lacks the newest writes; the follower answers when it has applied them, and not before.
import { MessageType } from "@quorate/raft";
import { type Story, story } from "../story.ts";

export const readWaitsForApply: Story = story("read-waits-for-apply", {}, (s) => {
  const leader = s.found();
  const follower = s.others(leader)[0]!;
  for (let round = 1; round <= 3; round++) {
    const endOfLoss = s.lose([MessageType.AppendEntries], leader, follower);
    const write = s.put(leader, "k");
    s.waitFor("the write is acknowledged", 500, () => write.acknowledged);
    const read = s.read(follower, "k");
    s.run(s.timeoutMs / 2);
    s.expect("no answer before the write is applied", read.pending);
    endOfLoss();
    s.waitFor("it answers", 1000, () => read.acknowledged);
  }
});
