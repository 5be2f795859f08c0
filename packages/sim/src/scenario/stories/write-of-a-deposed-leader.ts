// DESIGN.md 22: a follower has forwarded writes and knows at which index and in which term they stand,
// but their leader is deposed, and other entries take their place. The follower applies those: they
// tell it that its own are not committed, and their replies are for somebody else.
import { type Story, story } from "../story.ts";

export const writeOfADeposedLeader: Story = story(
  "write-of-a-deposed-leader",
  { members: 5 },
  (s) => {
    const old = s.found();
    const [follower, ...others] = s.others(old) as [string, ...string[]];
    s.cutForGood([old, follower], others);
    const last = s.status(old).lastIndex + 5;
    const writes = s.puts(follower, 5);
    s.waitFor("the follower has them", 500, () => s.status(follower).durableIndex === last);
    s.fill(s.waitForLeader(20 * s.timeoutMs, others), 10, 10);
    s.expect(
      "nobody has answered",
      writes.every((write) => write.pending),
    );
    s.heal();
    s.waitFor("all are answered", 2000, () => !writes.some((write) => write.pending));
    s.expect(
      "none is committed",
      writes.every((write) => write.refused),
    );
  },
);
