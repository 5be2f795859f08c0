// Lesson 13: a hello tells what is durable; in memory the follower may hold more, and behind it a tail
// of a leader that is deposed. The next leader begins at the hello's word: with one entry that both
// have, as more do not fit into a message, and a commit index far above. The follower may commit up to
// that one entry, not its tail.
import { MessageType } from "@quorate/raft";
import { storageDefaults } from "@quorate/storage";
import { type Story, story } from "../story.ts";

/** Two of them do not fit into a message. */
const largeBytes = 530_000;
const host = {
  requestBytesMax: 540_000,
  storage: { ...storageDefaults, walSegmentBytes: 1_048_576 },
};

export const helloBehindTheLog: Story = story("hello-behind-the-log", { members: 5, host }, (s) => {
  const old = s.found();
  const [follower, ...others] = s.others(old) as [string, ...string[]];
  s.disk(follower).stall(1500);
  const index = s.status(old).lastIndex + 2;
  // Nobody hears that they are committed before there is another leader.
  s.lose([MessageType.AppendResponse], null, old);
  s.puts(old, 2, largeBytes);
  const have = (): boolean => s.names.every((name) => s.status(name).lastIndex === index);
  s.waitFor("all have two large entries", 500, have);
  s.cutForGood([old, follower], others);
  s.puts(old, 3);
  s.waitFor("the follower has a tail", 500, () => s.status(follower).lastIndex === index + 3);
  // New processes have never heard of the follower's: they will take its hello's word.
  s.kill(...others);
  s.start(...others);
  s.fill(s.waitForLeader(20 * s.timeoutMs, others), 5, 10);
  s.expect("the follower's disk has nothing of it", s.status(follower).durableIndex < index - 1);
  s.heal();
  s.waitForLeader(20 * s.timeoutMs);
});
