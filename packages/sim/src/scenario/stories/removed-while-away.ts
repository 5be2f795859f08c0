// P1, ADR 12: a member is removed while its disk is lost, while its directory is set aside, or before it
// was born. Its present raft id was never in any configuration, so only the id of its member tells what
// became of it: the membership table decides, not the list that it was started with. It is told so and
// ends with 73, and nobody else is.
import { MembershipActs } from "../membership-acts.ts";
import { Loss } from "../rejoin-acts.ts";
import { type Story, stories } from "../story.ts";

export const removedWhileAway: Story = stories("removed-while-away", (stage) => {
  stage.play("its disk was wiped", { members: 4 }, (s) => {
    const acts = new MembershipActs(s);
    const leader = s.found();
    const [gone] = s.others(leader) as [string];
    acts.waitUntilHealthy();
    s.kill(gone);
    acts.leaves(gone);
    acts.must("it is removed", () => acts.remove(leader, gone));
    s.wipe(gone);
    s.start(gone);
    s.waitForExit(gone, 73, 10_000);
    s.mustWrite(s.waitForLeader(20 * s.timeoutMs, s.others(gone)));
  });

  stage.play("it has set its directory aside", { members: 4 }, (s) => {
    const acts = new MembershipActs(s);
    const leader = s.found();
    const [gone] = s.others(leader) as [string];
    acts.waitUntilHealthy();
    s.cutForGood([gone], s.others(gone));
    new Loss(s, gone, "both manifests lost").now();
    s.waitFor("it is set aside", 5_000, () => s.disk(gone).quarantines === 1);
    acts.leaves(gone);
    acts.must("it is removed", () => acts.remove(leader, gone));
    s.heal();
    s.waitForExit(gone, 73, 10_000);
    s.mustWrite(s.waitForLeader(20 * s.timeoutMs, s.others(gone)));
  });

  stage.play("it was never born", { members: 4, founders: 3 }, (s) => {
    const acts = new MembershipActs(s);
    const leader = s.found();
    const [asked] = s.others(leader, "m3") as [string];
    acts.waitUntilHealthy();
    acts.must("adds m3", () => acts.add(leader, "m3"));
    s.cut(["m3"], s.others(asked, "m3"));
    acts.start("m3");
    s.waitFor("it has joined, and waits", 10_000, () => s.inside("m3") !== null);
    acts.leaves("m3");
    acts.must("m3 is removed", () => acts.remove(leader, "m3"));
    s.heal();
    s.waitForExit("m3", 73, 10_000);
    s.mustWrite(s.waitForLeader(20 * s.timeoutMs, s.others("m3")));
  });
});
