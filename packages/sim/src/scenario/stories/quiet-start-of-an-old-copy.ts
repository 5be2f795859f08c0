// P5: an old copy of a directory starts while the leader is alive, and a member that knows of nothing
// newer asks it for its vote. Together they lack an acknowledged write. A quiet start keeps the request
// until the leader had the chance to say what it knows of that raft id: REGRESSED. No vote is given.
import { MembershipActs } from "../membership-acts.ts";
import { type Story, story } from "../story.ts";

export const quietStartOfAnOldCopy: Story = story("quiet-start-of-an-old-copy", {}, (s) => {
  const leader = s.found();
  const [rolled, behind] = s.others(leader) as [string, string];
  const copy = s.disk(rolled).copy();
  s.cutForGood([behind], s.others(behind));
  s.kill(rolled);
  s.start(rolled);
  s.mustWrite(s.waitForLeader(20 * s.timeoutMs, [leader, rolled]));

  s.kill(rolled);
  s.disk(rolled).restore(copy);
  s.heal();
  s.cutForGood([behind], [leader]);
  s.run(2 * s.timeoutMs);
  s.start(rolled);
  const aside = (): boolean => s.disk(rolled).quarantines === 1;
  s.waitFor("it was told, and sets its directory aside", 5 * s.timeoutMs, aside);
  s.expect("nobody was elected by it", !s.leads(behind));
  s.heal();
  new MembershipActs(s).waitUntilItVotes(rolled);
  s.mustWrite(s.waitForLeader(20 * s.timeoutMs));
});
