// P2, etcd-api.md M1 and M2: from three members to five and back, one at a time, under load, through
// any member: each newcomer is told who it is, becomes a learner, catches up and is promoted by itself;
// whoever is removed hears so and ends with 73, and the leader is among those removed.
import { MembershipActs } from "../membership-acts.ts";
import { type Story, story } from "../story.ts";

export const membersOneByOne: Story = story(
  "members-one-by-one",
  { members: 5, founders: 3 },
  (s) => {
    const acts = new MembershipActs(s);
    const leader = s.found();
    const [asked, other] = s.others(leader, "m3", "m4") as [string, string];
    s.load({ members: s.present() });
    acts.waitUntilHealthy();
    acts.addAndWait(asked, "m3");
    acts.waitUntilHealthy();
    acts.addAndWait(leader, "m4");
    s.expect("five vote", s.conf(leader).voters.length === 5);
    acts.waitUntilHealthy();
    acts.removeAndWait(asked, s.leader()!);
    s.endLoad();
    acts.waitUntilHealthy();
    const last = s.present().find((name) => name !== s.leader() && name !== other)!;
    acts.removeAndWait(s.leader()!, last);
    s.expect("three vote", s.conf(s.leader()!).voters.length === 3);
    s.mustWrite(s.leader()!);
  },
);
