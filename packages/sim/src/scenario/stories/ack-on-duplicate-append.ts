// yugabyte#32875 (reliability.md §8, 33): a follower acknowledged an append that it had already seen,
// although the first one was not on its disk yet. The follower's disk stalls; its link is cut and
// comes back, so the leader sends everything once more, and empty appends; then the power goes.
import { type Story, story } from "../story.ts";

export const ackOnDuplicateAppend: Story = story(
  "ack-on-duplicate-append",
  { electionTimeoutMs: 600, electionTimeoutRandomizationMs: 600 },
  (s) => {
    const leader = s.found();
    const [slow, dead] = s.others(leader) as [string, string];
    s.kill(dead);
    for (let round = 1; round <= 3; round++) {
      s.disk(slow).stall(400);
      const writes = s.puts(leader, 5, 500);
      for (let again = 1; again <= 3; again++) {
        s.run(60);
        s.cluster.network.closeLinks(leader, slow);
      }
      s.expect(
        "nothing is acknowledged before it is durable",
        writes.every((ask) => ask.pending),
      );
      s.powerLoss(slow);
      s.start(slow);
      s.waitForLeader(20 * s.timeoutMs, [leader, slow]);
    }
  },
);
