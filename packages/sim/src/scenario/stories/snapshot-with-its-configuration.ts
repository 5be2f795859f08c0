// dragonboat, matrixone (reliability.md §8, 46; P2): a snapshot did not hold the last configuration
// change before it, and whoever got it voted by an older one. A member misses a change from three
// voters to five, gets a snapshot of after it, and starts again from that snapshot: it knows all five,
// and elects with the two new ones when the two others are gone.
import { ConfChangeType, isJoint } from "@quorate/raft";
import { shortLog } from "../scenario-options.ts";
import { type Story, story } from "../story.ts";

export const snapshotWithItsConfiguration: Story = story(
  "snapshot-with-its-configuration",
  { members: 5, host: shortLog },
  (s) => {
    const first = s.found();
    const [late, mate, ...fresh] = s.others(first) as [string, string, string, string];
    const voters = (name: string): number =>
      isJoint(s.conf(name)) ? 0 : s.conf(name).voters.length;
    const change = (type: ConfChangeType): boolean =>
      s.change(
        s.leader()!,
        fresh.map((name) => [type, name] as const),
      );
    s.waitFor("a change", 5000, () => change(ConfChangeType.AddLearner));
    s.waitFor("three voters", 5000, () => s.names.every((name) => voters(name) === 3));

    s.fallBehind(late);
    s.waitFor("another change", 5000, () => change(ConfChangeType.AddVoter));
    s.waitFor("five voters", 5000, () => s.others(late).every((name) => voters(name) === 5));
    s.fill(s.leader()!, 20, 500);
    s.run(500);
    s.heal();
    const received = (): number => s.member(late).host!.counters().snapshotsReceived;
    s.waitFor("the late one gets a snapshot", 5000, () => received() === 1);
    s.expect("and knows five", voters(late) === 5);
    s.kill(late);
    s.start(late);
    s.waitFor("it still does", 5000, () => s.inside(late) !== null && voters(late) === 5);
    s.waitForLeader(20 * s.timeoutMs);
    s.kill(first, mate);
    s.mustWrite(s.waitForLeader(20 * s.timeoutMs, [late, ...fresh]));
  },
);
