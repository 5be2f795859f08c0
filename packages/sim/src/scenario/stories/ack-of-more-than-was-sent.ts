// The CCF study (reliability.md §8, 31; lesson 13): a follower acknowledged up to the end of its own
// log, where it held entries that the leader had never sent. The leader's appends reach the deposed
// one without entries only: what it acknowledges ends where the logs agree.
import { MessageType } from "@quorate/raft";
import { type Story, story } from "../story.ts";
import { deposedWithTail } from "./deposed-with-tail.ts";

export const ackOfMoreThanWasSent: Story = story(
  "ack-of-more-than-was-sent",
  { durableSample: 1 },
  (s) => {
    const { old, leader, common } = deposedWithTail(s, 20);
    const filled = ({ entries }: { readonly entries: readonly unknown[] }): boolean =>
      entries.length > 0;
    const endOfLoss = s.lose([MessageType.AppendEntries], leader, old, filled);
    const writes = s.puts(leader, 3);
    s.heal();
    s.run(2 * s.timeoutMs);
    s.expect("nothing is committed by what was not sent", !writes.some((ask) => ask.acknowledged));
    const oldId = s.status(old).raftId;
    const progress = s.status(leader).progress.find(({ id }) => id === oldId);
    s.expect("the leader counts what agrees", (progress?.match ?? 0) <= common);
    endOfLoss();
    s.mustWrite(s.waitForLeader(20 * s.timeoutMs, [old, leader]));
  },
);
