// CCF#5674 and the CCF study (reliability.md §8, 31): a leader advanced its commit index on a refusal.
// All answers of the only follower that lives are refusals, because its log has a tail of its own and
// its acknowledgements are lost: nothing may be committed.
import { MessageType } from "@quorate/raft";
import { type Story, story } from "../story.ts";
import { deposedWithTail } from "./deposed-with-tail.ts";

export const commitOnARefusal: Story = story("commit-on-a-refusal", {}, (s) => {
  const { old, leader } = deposedWithTail(s, 20);
  const endOfLoss = s.lose([MessageType.AppendResponse], old, leader, ({ reject }) => !reject);
  const write = s.put(leader);
  s.heal();
  s.run(2 * s.timeoutMs);
  s.expect("a refused write is not committed", !write.acknowledged);
  endOfLoss();
  s.mustWrite(s.waitForLeader(20 * s.timeoutMs, [old, leader]));
});
