// The CCF study (reliability.md §8, 31): an append that came late, with fewer entries than the
// follower had acknowledged since, made it cut its log. Every send arrives a second time, up to 100 ms
// later, and links end and come back all the time, so that the leader sends old ground anew.
import { type Story, story } from "../story.ts";

export const lateAppendTruncates: Story = story(
  "late-append-truncates",
  { network: { duplicateChance: 1, duplicateDelayMaxUs: 100_000 } },
  (s) => {
    const leader = s.found();
    s.load({ workload: "unique-puts", clients: 6, thinkMaxMs: 3 });
    for (let ends = 1; ends <= 15; ends++) {
      s.run(50);
      const other = s.others(leader)[ends % 2]!;
      s.cluster.network.closeLinks(leader, other);
    }
  },
);
