// fsyncgate, cockroachdb#37102 (reliability.md §8, 34): a sync failed once, the next one "succeeded",
// and a hole was acknowledged. Here the first failure ends the process with exit code 71, of the
// leader as of a follower; nothing is acknowledged after it, and what is found at the next start is
// written anew.
import { ExitCode } from "@quorate/storage";
import { DiskOperation } from "../../disk/disk-operation.ts";
import { type Story, story } from "../story.ts";

export const fsyncFailsOnce: Story = story("fsync-fails-once", { durableSample: 1 }, (s) => {
  const leader = s.found();
  s.load({ clients: 4, thinkMaxMs: 5 });
  for (const victim of [s.others(leader)[0]!, leader]) {
    s.run(100);
    s.disk(victim).failOnce(DiskOperation.Sync, "/wal-", "EIO");
    s.waitForExit(victim, ExitCode.WriteFailed, 2000);
    s.disk(victim).mend();
    s.waitForLeader(20 * s.timeoutMs, s.others(victim));
    s.powerLoss(victim);
    s.start(victim);
    s.waitForLeader(20 * s.timeoutMs);
  }
});
