// The CCF study (reliability.md §8, 31): an append with fewer entries than the follower had acknowledged
// since made it cut its log, and its leader counted on what was gone. The leader's link ends while the
// acknowledgements of four entries are held up on another one: it probes old ground with the first
// two of them, and then hears that all are there. They are.
import { storageDefaults } from "@quorate/storage";
import { type Story, story } from "../story.ts";

/** Two of them fill a message. */
const largeBytes = 500_000;
const host = {
  requestBytesMax: 1_500_000,
  storage: { ...storageDefaults, walSegmentBytes: 4_194_304 },
};

export const oldGroundSentAnew: Story = story(
  "old-ground-sent-anew",
  { host, electionTimeoutMs: 1000, electionTimeoutRandomizationMs: 1000 },
  (s) => {
    const leader = s.found();
    const [follower, dead] = s.others(leader) as [string, string];
    s.kill(dead);
    const { network } = s.cluster;
    for (let round = 1; round <= 2; round++) {
      s.run(300);
      network.clogDialled(follower, leader, 150_000);
      const index = s.status(leader).lastIndex + 4;
      const writes = s.puts(leader, 4, largeBytes);
      const has = (): boolean => s.status(follower).durableIndex >= index;
      s.waitFor("the follower has them on its disk", 100, has);
      s.expect("the leader has not heard of it", !writes.some((ask) => ask.acknowledged));
      network.closeDialled(leader, follower);
      s.waitFor("the leader hears of it", 500, () => writes.every((ask) => ask.acknowledged));
    }
  },
);
