// RATIS-2605 (reliability.md §8, 23; lesson 12): answered heartbeats raised the leader's idea of a
// follower whose log had a tail of its own, and told that follower to commit it. Only heartbeats reach
// the deposed leader: its tail is not committed, and its match does not move.
import { MessageType } from "@quorate/raft";
import { type Story, story } from "../story.ts";
import { deposedWithTail } from "./deposed-with-tail.ts";

export const heartbeatOverDivergentTail: Story = story("heartbeat-over-divergent-tail", {}, (s) => {
  const { old, leader, common } = deposedWithTail(s, 20);
  const endOfLoss = s.lose([MessageType.AppendEntries], leader, old);
  s.puts(leader, 3);
  s.heal();
  const oldId = s.status(old).raftId;
  const match = (): number => s.status(leader).progress.find(({ id }) => id === oldId)?.match ?? 0;
  for (let beats = 1; beats <= 20 && s.leads(leader); beats++) {
    s.run(s.options.heartbeatIntervalMs);
    s.expect("the tail is not committed", s.status(old).committed <= common);
    s.expect("nor counted", match() <= common);
  }
  endOfLoss();
  s.mustWrite(s.waitForLeader(20 * s.timeoutMs, [old, leader]));
});
