// What the leader counts was true when it was said (P4): a follower acknowledges a write, and comes
// back with an old copy of its directory, which it sets aside, before its leader, whose own disk is
// slow, commits with that word. Both disks that hold the write then have promised it, the follower's
// under a raft id that nobody speaks under again; the third one alone elects nobody without it.
import { MembershipActs } from "../membership-acts.ts";
import { oldCopy } from "../rejoin-acts.ts";
import { type Story, story } from "../story.ts";

export const acksOfADiskSetAside: Story = story("acks-of-a-disk-set-aside", {}, (s) => {
  const leader = s.found();
  const [mate, third] = s.others(leader) as [string, string];
  const copy = oldCopy(s, mate);
  s.expect("the same one leads", s.leads(leader));
  s.mustWrite(leader);
  const old = s.status(mate).raftId;
  const matchOf = (raftId: number): number =>
    s.status(leader).progress.find(({ id }) => id === raftId)?.match ?? 0;

  s.cutOneWay(leader, third);
  s.disk(leader).stall(s.timeoutMs / 2);
  const index = s.status(leader).lastIndex + 1;
  const write = s.put(leader, "story/counted");
  s.waitFor("the mate has it", s.timeoutMs, () => matchOf(old) >= index);
  s.kill(mate);
  s.cutForGood([leader], [mate, third]);
  s.disk(mate).restore(copy);
  s.start(mate);
  s.waitFor("the copy is set aside", s.timeoutMs, () => s.disk(mate).quarantines === 1);
  s.expect("the leader has not committed it", s.status(leader).committed < index);
  s.waitFor("its disk answers", s.timeoutMs, () => s.status(leader).durableIndex >= index);
  s.waitFor("it counts what was said", s.timeoutMs, () => write.acknowledged);

  s.heal();
  new MembershipActs(s).waitUntilItVotes(mate);
  s.expect("under another raft id", s.status(mate).raftId !== old);
  s.mustWrite(s.waitForLeader(20 * s.timeoutMs));
});
