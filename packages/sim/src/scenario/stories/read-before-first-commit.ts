// etcd#7331 (reliability.md §8, 15; lesson 15): a new leader answered a read from its own commit index
// before it had committed an entry of its own term. A write is acknowledged, and the one follower that
// has it hears neither of the commit nor of anything else; it becomes leader, but can commit nothing.
// A read of that write must wait, however often a quorum confirms the leader.
import { MessageType } from "@quorate/raft";
import { type Story, story } from "../story.ts";

const fromLeader = [MessageType.AppendEntries, MessageType.Heartbeat];

export const readBeforeFirstCommit: Story = story("read-before-first-commit", {}, (s) => {
  const old = s.found();
  s.run(100);
  const write = s.put(old, "k");
  const index = s.status(old).lastIndex + 1;
  const has = (): boolean => s.others(old).some((name) => s.status(name).lastIndex >= index);
  s.waitFor("a follower has the write", 500, has);
  const endOfSilence = s.lose(fromLeader, old, null);
  s.waitFor("it is acknowledged", 500, () => write.acknowledged);
  s.kill(old);
  endOfSilence();
  const endOfLoss = s.lose([MessageType.AppendEntries], null, null);
  const next = s.waitForLeader(20 * s.timeoutMs, s.others(old));
  s.expect("it does not know of the commit", s.status(next).committed < index);
  const read = s.read(next, "k");
  s.run(s.timeoutMs / 2);
  s.expect("it does not answer", read.pending);
  endOfLoss();
  s.waitFor("it answers once it has committed", 3000, () => read.acknowledged);
});
