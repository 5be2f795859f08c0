// P2's counterexample: {A, B, C} → {B, C, D} in one joint change, leader B. B applies the end of it, A
// is told that it is removed and goes, B dies: C holds the end, does not know it committed, is joint
// still, and needs two of {A, B, C}. Here A stays until a majority of the new voters has applied the
// end: B's death is one failure, and the others elect. Then A is told, and ends with 73.
import { ConfChangeType, isJoint, type Message, MessageType } from "@quorate/raft";
import { MembershipActs } from "../membership-acts.ts";
import { type Story, story } from "../story.ts";

export const removedMemberStillVotes: Story = story(
  "removed-member-still-votes",
  { members: 4 },
  (s) => {
    const acts = new MembershipActs(s);
    const b = s.found();
    const [a, c, d] = s.others(b) as [string, string, string];
    const three = (name: string): boolean =>
      s.conf(name).voters.length === 3 && !isJoint(s.conf(name));
    s.waitFor("D becomes a learner", 5 * s.timeoutMs, () =>
      s.change(b, [[ConfChangeType.AddLearner, d]]),
    );
    s.waitFor("A, B and C vote", 5 * s.timeoutMs, () => s.names.every(three));

    acts.leaves(a);
    s.waitFor("the change is proposed", 5 * s.timeoutMs, () =>
      s.change(b, [
        [ConfChangeType.AddVoter, d],
        [ConfChangeType.Remove, a],
      ]),
    );
    const end = s.status(b).lastIndex + 1;
    // The others hold the end, and are not told that it is committed.
    const tellsEnd = (message: Message): boolean => message.commit >= end;
    const { AppendEntries, Heartbeat } = MessageType;
    const ends = [a, c, d].map((name) => s.lose([AppendEntries, Heartbeat], b, name, tellsEnd));
    s.waitFor("B has applied the end", 5 * s.timeoutMs, () => s.status(b).applied >= end);
    s.run(s.timeoutMs / 2);
    s.expect("C holds it, and is joint", s.status(c).lastIndex >= end && isJoint(s.conf(c)));
    s.expect("A is there yet", s.running(a));
    s.kill(b);
    for (const stop of ends) stop();
    s.waitFor("another one leads", 10 * s.timeoutMs, () => s.leads(c) || s.leads(d));
    s.waitForExit(a, 73, 5_000);
    s.mustWrite(s.waitForLeader(20 * s.timeoutMs, [c, d]), 5 * s.timeoutMs);
  },
);
