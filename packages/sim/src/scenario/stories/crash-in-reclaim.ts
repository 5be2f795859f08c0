// etcd#14685 (reliability.md §8, 4; 38: ra#589): a crash while the store was being tidied up lost
// rows. A follower loses power at every step of the rewriting of half-dead segments, and of the
// dropping of the log; it comes back with the very state of the others (S16, K1).
import { EndKind } from "../../sim-env.ts";
import { shortLog, smallFiles } from "../scenario-options.ts";
import { type Story, story } from "../story.ts";

const steps = ["reclaim.synced", "reclaim.in-force", "reclaim.dropped", "wal.segments.unnamed"];
const host = { ...shortLog, storage: smallFiles };

export const crashInReclaim: Story = story("crash-in-reclaim", { host }, (s) => {
  const follower = s.others(s.found())[0]!;
  s.load({ workload: "registers", clients: 6, thinkMaxMs: 5 });
  for (const step of steps) {
    const crash = s.crashAt(follower, step, EndKind.PowerLost);
    s.waitFor(`power loss at ${step}`, 20_000, () => crash.crashed !== null);
    s.start(follower);
    s.waitForLeader(10 * s.timeoutMs);
  }
});
