// P2: a restart that forgets the commit index campaigns with the configuration of before (10 of 20,000
// walks of a model lose committed entries). From voters {A, B, C} to {C, D, E}: the power goes as soon
// as A durably holds the entry that ends the joint phase. Whoever holds it knows that the one before it
// was committed: A and B, a majority of the old voters, do not elect anybody by themselves.
import { ConfChangeType, isJoint, MessageType } from "@quorate/raft";
import { type Story, story } from "../story.ts";

export const restartKnowsItIsJoint: Story = story(
  "restart-knows-it-is-joint",
  { members: 5 },
  (s) => {
    const c = s.found();
    const [a, b, d, e] = s.others(c) as [string, string, string, string];
    const change = (...changes: (readonly [ConfChangeType, string])[]): void => {
      s.waitFor("a change is proposed", 5 * s.timeoutMs, () => s.change(c, changes));
    };
    change([ConfChangeType.AddLearner, d], [ConfChangeType.AddLearner, e]);
    const three = (name: string): boolean =>
      s.conf(name).voters.length === 3 && !isJoint(s.conf(name));
    s.waitFor("three voters", 5 * s.timeoutMs, () => s.names.every(three));

    // So that the end is not committed before A holds it.
    s.lose([MessageType.AppendResponse], b, c);
    change(
      [ConfChangeType.AddVoter, d],
      [ConfChangeType.AddVoter, e],
      [ConfChangeType.AddLearner, a],
      [ConfChangeType.AddLearner, b],
    );
    const enter = s.status(c).lastIndex;
    s.waitFor("A holds the end", 5 * s.timeoutMs, () => s.status(a).durableIndex > enter);
    s.powerLoss(...s.names);
    s.start(a, b);
    s.run(10 * s.timeoutMs);
    s.expect("two old voters elect nobody", !s.leads(a) && !s.leads(b));
    const { lastIndex, committed } = s.status(a);
    s.expect(
      "it holds the end, and knows of the beginning",
      lastIndex > enter && committed === enter,
    );
    s.start(c, d, e);
    s.mustWrite(s.waitForLeader(20 * s.timeoutMs, [c, d, e]));
  },
);
