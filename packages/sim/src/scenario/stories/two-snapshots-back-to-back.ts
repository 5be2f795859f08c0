// etcd#18055 (reliability.md §8, 11; lesson 44): a second snapshot that came while the first was
// still being put in force made the member panic. Here the leader dies in that moment, and the next
// one sends its own at once; then a third follows as soon as the second is in force.
import { shortLog } from "../scenario-options.ts";
import { type Story, story } from "../story.ts";

export const twoSnapshotsBackToBack: Story = story(
  "two-snapshots-back-to-back",
  { members: 5, host: shortLog },
  (s) => {
    const leader = s.found();
    const late = s.others(leader)[0]!;
    const received = (): number => s.member(late).host!.counters().snapshotsReceived;
    s.fallBehind(late);
    s.stream(5, 200);
    let isInstalling = false;
    s.whenMarked(late, "install.staged", () => {
      isInstalling = true;
      s.disk(late).stall(2 * s.timeoutMs);
      s.kill(leader);
    });
    s.heal();
    s.waitFor("the first snapshot is being put in force", 5000, () => isInstalling);
    s.waitForLeader(20 * s.timeoutMs, s.others(leader));
    s.waitFor("a snapshot is in force", 5000, () => received() > 0);
    s.fallBehind(late);
    const before = received();
    s.heal();
    s.waitFor("and another one", 5000, () => received() > before);
  },
);
