// etcd#14370 (reliability.md §8, 1): a cluster of one acknowledged before its own fsync, and a power
// loss took the write back. Here the power goes in the moment of the reply, five times.
import { type Story, story } from "../story.ts";

export const singleNodeAckBeforeFsync: Story = story(
  "single-node-ack-before-fsync",
  { members: 1 },
  (s) => {
    const only = s.found();
    s.disk(only).slow(10);
    for (let round = 1; round <= 5; round++) {
      const writes = s.puts(only, 8, 600);
      s.waitFor("a write is acknowledged", 3000, () => writes.some((ask) => ask.acknowledged));
      s.powerLoss(only);
      s.start(only);
      s.waitForLeader(10 * s.timeoutMs);
      const reads = writes.map((_, n) => s.read(only, `story/${only}/${n}`));
      s.waitFor("it reads what it acknowledged", 3000, () =>
        reads.every((ask) => ask.acknowledged),
      );
    }
  },
);
