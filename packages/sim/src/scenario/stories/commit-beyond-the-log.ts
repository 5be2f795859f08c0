// etcd#10817, #5664 (reliability.md §8, 49): the log ended before the commit index that its own hard
// state named, and the member panicked at every start. The end of a log is lost; what stands
// elsewhere proves that it once was there, so the member says what it found and ends with exit
// code 72 (rows 6 and 7 of §3.3); the others go on.
import { ExitCode } from "@quorate/storage";
import { type Story, story } from "../story.ts";

export const commitBeyondTheLog: Story = story("commit-beyond-the-log", {}, (s) => {
  const leader = s.found();
  const victim = s.others(leader)[0]!;
  s.fill(leader, 30, 2000);
  s.run(500);
  s.kill(victim);
  s.giveUp(victim);
  s.disk(victim).loseEndOfLog();
  s.start(victim);
  s.waitForExit(victim, ExitCode.Damaged, 5000);
  s.mustWrite(s.waitForLeader(20 * s.timeoutMs, s.others(victim)));
});
