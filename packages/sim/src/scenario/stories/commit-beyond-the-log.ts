// etcd#10817, #5664 (reliability.md §8, 49): the log ended before the commit index that its own hard
// state named, and the member panicked at every start. The end of a log is lost; what stands
// elsewhere proves that it once was there, so the member cannot know what it has promised (rows 6 to
// 8 of §3.3): it sets its directory aside and comes back by itself under another raft id (P3).
import { MembershipActs } from "../membership-acts.ts";
import { type Story, story } from "../story.ts";

export const commitBeyondTheLog: Story = story("commit-beyond-the-log", {}, (s) => {
  const acts = new MembershipActs(s);
  const leader = s.found();
  const victim = s.others(leader)[0]!;
  const lost = s.raftId(victim);
  s.fill(leader, 30, 2000);
  s.run(500);
  s.kill(victim);
  s.disk(victim).loseEndOfLog();
  s.start(victim);
  acts.waitUntilItIsBack(victim);
  s.expect("its old raft id is out", !s.conf(victim).voters.includes(lost));
  s.mustWrite(s.waitForLeader(20 * s.timeoutMs));
});
