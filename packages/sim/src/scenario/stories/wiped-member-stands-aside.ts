// etcd#13509, #10817, redpanda#315 (reliability.md §8, 21 and 42; P1): a member whose directory was
// deleted was started again under its old identity, and panicked, or lost what it had acknowledged.
// It draws a new raft id, hears that the genesis names another one, and speaks no Raft.
import { Phase } from "@quorate/host";
import { type Story, story } from "../story.ts";

export const wipedMemberStandsAside: Story = story("wiped-member-stands-aside", {}, (s) => {
  const leader = s.found();
  const [wiped, other] = s.others(leader) as [string, string];
  s.load();
  s.run(100);
  s.kill(wiped);
  s.wipe(wiped);
  s.start(wiped);
  const aside = (): boolean => s.status(wiped).phase === Phase.Refused;
  s.waitFor("it knows that it was wiped", 5000, aside);
  s.expect("it says so", s.status(wiped).reason.includes("wiped"));
  s.run(10 * s.timeoutMs);
  s.expect("it runs no Raft", s.inside(wiped) === null);
  s.kill(wiped);
  s.start(wiped);
  s.waitFor("it remembers", 5000, aside);
  s.kill(leader);
  s.run(10 * s.timeoutMs);
  s.expect("it votes for nobody", s.leader() === null);
  s.start(leader);
  s.mustWrite(s.waitForLeader(20 * s.timeoutMs, [leader, other]));
});
