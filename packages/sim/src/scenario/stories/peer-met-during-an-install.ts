// A deposed leader with a long tail gets a snapshot, and while that is put in force another member
// restarts: its new process is put on record (P4). The record goes to the log of before and must not
// speak of the snapshot's: killed in that moment, the next start would take the tail for committed.
import { shortLog } from "../scenario-options.ts";
import { type Story, story } from "../story.ts";

export const peerMetDuringAnInstall: Story = story(
  "peer-met-during-an-install",
  { host: shortLog },
  (s) => {
    const old = s.found();
    const common = s.status(old).committed;
    s.cutForGood([old], s.others(old));
    s.puts(old, 100);
    const leader = s.waitForLeader(20 * s.timeoutMs, s.others(old));
    const other = s.others(old, leader)[0]!;
    s.fill(leader, 30, 400);
    const isCut = (): boolean => s.inside(leader)!.raft.status().firstIndex > common + 1;
    s.waitFor("the leader's log begins behind what they share", 1000, isCut);
    s.whenMarked(old, "snapshot.staged", () => {
      s.disk(old).stall(150);
      s.kill(other);
      s.start(other);
    });
    const crash = s.crashAt(old, "install.staged");
    s.heal();
    s.waitFor("it dies", 5000, () => crash.crashed !== null);
    s.start(old);
    s.waitForLeader(20 * s.timeoutMs);
  },
);
