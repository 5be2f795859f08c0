// etcd#20653 (reliability.md §8, 41; lesson 53): a snapshot was put in force while the store was being
// tidied up, and the two wrote over each other. A follower rewrites its segments as slowly as can be
// while a snapshot arrives, and again; it ends in the state of the others (S16).
import { shortLog, smallFiles } from "../scenario-options.ts";
import { type Story, story } from "../story.ts";

const host = { ...shortLog, storage: { ...smallFiles, reclaimBytesPerSecond: 20_000 } };

export const snapshotWhileReclaimRuns: Story = story(
  "snapshot-while-reclaim-runs",
  { host },
  (s) => {
    const leader = s.found();
    const late = s.others(leader)[0]!;
    const received = (): number => s.member(late).host!.counters().snapshotsReceived;
    s.load({ workload: "registers", clients: 6, thinkMaxMs: 5, members: s.others(late) });
    for (let round = 1; round <= 3; round++) {
      s.run(400);
      s.fallBehind(late);
      s.heal();
      s.waitFor(`snapshot ${round} is in force`, 10_000, () => received() >= round);
    }
  },
);
