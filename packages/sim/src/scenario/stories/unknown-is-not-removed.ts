// P2: a member that lags in its configuration hears a new leader whose raft id it has never seen named.
// Unknown is not removed: it is stepped, and brings the configuration that names it. And who was removed
// while it was down is told so when it comes back, by that same leader.
import { MembershipActs } from "../membership-acts.ts";
import { type Story, story } from "../story.ts";

export const unknownIsNotRemoved: Story = story(
  "unknown-is-not-removed",
  { members: 4, founders: 3 },
  (s) => {
    const acts = new MembershipActs(s);
    const leader = s.found();
    const [late, mate] = s.others(leader, "m3") as [string, string];
    acts.waitUntilHealthy();
    acts.must("adds m3", () => acts.add(mate, "m3"));
    s.cutForGood([late], s.others(late));
    acts.start("m3");
    s.waitFor("m3 votes", 20_000, () => acts.isVoter(leader, "m3") && acts.isVoter("m3", "m3"));
    s.transfer("m3");
    s.waitFor("m3 leads", 20 * s.timeoutMs, () => s.leads("m3"));
    const knows = (): boolean => s.conf(late).voters.includes(s.raftId("m3"));
    s.expect("the late one does not know it", !knows());
    s.kill(leader);
    s.heal();
    // Nobody else can bring it there, and nobody else be elected: three of four are needed.
    s.cutForGood([late], [mate]);
    s.waitFor("it follows, and knows it now", 20 * s.timeoutMs, () => knows());
    s.heal();
    s.mustWrite(s.waitForLeader(20 * s.timeoutMs, ["m3", late, mate]), 10 * s.timeoutMs);

    acts.leaves(leader);
    acts.must("the dead one is removed", () => acts.remove(late, leader));
    s.run(1_000);
    s.start(leader);
    s.waitForExit(leader, 73, 10_000);
  },
);
