// One change in flight (P2): requests that come together are served one after the other, each by what
// the ones before have left. Two that name one member: one is done, the other hears etcd's refusal, at
// whichever of the two checks, the leader's or the one at apply. A learner stays one until it has the
// leader's log and somebody promotes it (etcd-api.md M1).
import { MemberAim, MemberError } from "@quorate/host";
import { MessageType } from "@quorate/raft";
import { type MemberAsk, MembershipActs } from "../membership-acts.ts";
import { type Story, story } from "../story.ts";

export const membersAskedAtOnce: Story = story(
  "members-asked-at-once",
  { members: 5, founders: 3 },
  (s) => {
    const acts = new MembershipActs(s);
    const leader = s.found();
    const [one, two] = s.others(leader, "m3", "m4") as [string, string];
    acts.waitUntilHealthy();
    const answered = (asks: readonly MemberAsk[]): boolean => asks.every((ask) => !ask.pending);
    const adds = [leader, one, two].map((by) => acts.add(by, "m3"));
    s.waitFor("three adds of one member are answered", 5_000, () => answered(adds));
    s.expect("one of them is done", adds.filter((ask) => ask.done).length === 1);
    const refused = adds.filter((ask) => ask.error === MemberError.IdExists).length;
    s.expect("the others hear that it exists", refused === 2);

    const learner = acts.add(one, "m4", MemberAim.Learner);
    const early = acts.promote(two, "m4");
    s.waitFor("a learner is added", 5_000, () => answered([learner, early]));
    s.expect("it is", learner.done);
    s.expect("and not promoted before it is there", early.failure !== null);

    // What they lack does not come through; that they live is known.
    const ends = ["m3", "m4"].map((to) => s.lose([MessageType.AppendEntries], null, to));
    acts.start("m3");
    acts.start("m4");
    s.waitFor("both are learners", 10_000, () => s.conf(leader).learners.length === 2);
    s.run(5 * s.timeoutMs);
    s.expect("who has not caught up does not vote", s.conf(leader).learners.length === 2);
    for (const end of ends) end();
    s.waitFor("one catches up, and votes", 10_000, () => acts.isVoter(leader, "m3"));
    s.run(5 * s.timeoutMs);
    s.expect("the other stays a learner", !acts.isVoter(leader, "m4"));
    acts.must("until it is promoted", () => acts.promote(one, "m4"));
    s.waitFor("and votes", 5_000, () => acts.isVoter("m4", "m4"));

    acts.waitUntilHealthy();
    acts.leaves("m4");
    acts.leaves(two);
    const removals = [acts.remove(leader, "m4"), acts.remove(one, two)];
    s.waitFor("two removals are answered", 5_000, () => answered(removals));
    s.expect(
      "both are done, one after the other",
      removals.every((ask) => ask.done),
    );
    s.waitForExit("m4", 73, 10_000);
    s.waitForExit(two, 73, 10_000);
  },
);
