// etcd#13509, #20269, cockroachdb#124278 (reliability.md §8, 21 and 35; P4): a member comes back with
// an old copy of its directory, or from a disk that lied about its syncs. It acknowledged a write
// that it no longer has; together with a member that never had it, it could elect a leader without
// it. Its boot count shows what it is: it is told at the first handshake, speaks never again under
// that raft id, and once there is a quorum without it, it comes back under another one (P3).
import { MembershipActs } from "../membership-acts.ts";
import { type Story, story } from "../story.ts";

export const rolledBackDirectory: Story = story("rolled-back-directory", {}, (s) => {
  const acts = new MembershipActs(s);
  const leader = s.found();
  const [rolled, other] = s.others(leader) as [string, string];
  const copy = s.disk(rolled).copy();
  s.kill(rolled);
  s.start(rolled);
  s.waitForLeader(20 * s.timeoutMs);

  s.cut([other], [leader, rolled]);
  s.mustWrite(s.waitForLeader(20 * s.timeoutMs, [leader, rolled]));
  s.kill(rolled);
  s.disk(rolled).restore(copy);
  s.kill(leader);
  s.heal();
  s.start(rolled);
  s.run(20 * s.timeoutMs);
  s.expect("no leader without the write", s.leader() === null);
  s.expect("it was told, and set aside", s.disk(rolled).quarantines === 1);
  s.expect("it speaks under another raft id", s.status(rolled).raftId !== s.raftId(rolled));
  s.start(leader);
  acts.waitUntilItVotes(rolled);
  s.mustWrite(s.waitForLeader(20 * s.timeoutMs));
});
