// etcd#13766 (reliability.md §8, 2; 40: #10219, #11949, #12237): a saved applied index that was ahead
// of the saved data, a record of a snapshot without its file. A follower loses power at every step of
// a checkpoint; each time it comes back with the very state of the others (S15, S16).
import { EndKind } from "../../sim-env.ts";
import { shortLog, smallFiles } from "../scenario-options.ts";
import { type Story, story } from "../story.ts";

const steps = [
  "checkpoint.start",
  "checkpoint.segments",
  "checkpoint.synced",
  "manifest.between-copies",
  "checkpoint.in-force",
];

export const appliedIndexAheadOfData: Story = story(
  "applied-index-ahead-of-data",
  { host: { ...shortLog, storage: smallFiles } },
  (s) => {
    const follower = s.others(s.found())[0]!;
    s.load({ workload: "registers", clients: 4, thinkMaxMs: 10 });
    for (const step of steps) {
      const crash = s.crashAt(follower, step, EndKind.PowerLost);
      s.waitFor(`power loss at ${step}`, 5000, () => crash.crashed !== null);
      s.start(follower);
      s.waitForLeader(10 * s.timeoutMs);
      s.run(100);
    }
  },
);
