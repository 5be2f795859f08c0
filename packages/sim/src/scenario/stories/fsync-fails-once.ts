// fsyncgate, cockroachdb#37102 (reliability.md §8, 34; P8): a sync failed once, the next one
// "succeeded", and a hole was acknowledged. Here the first failure ends the process with exit code 71,
// of the leader as of a follower, and nothing is acknowledged after it. The next start finds in the
// page cache what the disk has refused: it writes that anew before it counts on it, so that a power
// loss right afterwards takes nothing back.
import { ExitCode } from "@quorate/storage";
import { DiskOperation } from "../../disk/disk-operation.ts";
import { type Story, story } from "../story.ts";

export const fsyncFailsOnce: Story = story("fsync-fails-once", {}, (s) => {
  s.found();
  s.load({ clients: 4, thinkMaxMs: 5 });
  // What the disk had taken of it by then is another part each time.
  for (let round = 1; round <= 6; round++) {
    const leader = s.waitForLeader(20 * s.timeoutMs);
    const victim = round % 2 === 0 ? leader : s.others(leader)[0]!;
    s.run(100);
    s.disk(victim).failOnce(DiskOperation.Sync, "/wal-", "EIO");
    s.waitForExit(victim, ExitCode.WriteFailed, 2000);
    s.disk(victim).mend();
    s.start(victim);
    s.mustWrite(s.waitForLeader(20 * s.timeoutMs));
    s.powerLoss(victim);
    s.start(victim);
  }
});
