// etcd#11038, cockroachdb#105578, raft#83 (reliability.md §8, 26 and 31; lesson 34): a leader that the
// new configuration does not let vote stepped down while the change was still joint, or went on for
// ever. It leads until the change is known to a majority of the new voters, hands over, and follows.
// Once all is well, and once its heir-to-be dies in the middle.
import { ConfChangeType, isJoint } from "@quorate/raft";
import { stories, type Story } from "../story.ts";

export const leaderLeavesInJoint: Story = stories("leader-leaves-in-joint", (stage) => {
  for (const death of [false, true]) {
    stage.play(death ? "a new voter dies meanwhile" : "all is well", { members: 5 }, (s) => {
      const leader = s.found();
      const [fresh, ...others] = s.others(leader) as [string, ...string[]];
      const mayPropose = (): boolean => s.change(leader, [[ConfChangeType.AddLearner, fresh]]);
      s.waitFor("one becomes a learner", 20 * s.timeoutMs, mayPropose);
      const isLearner = (name: string): boolean =>
        s.conf(leader).learners.includes(s.raftId(name)) && !isJoint(s.conf(leader));
      s.waitFor("it is one", 20 * s.timeoutMs, () => isLearner(fresh));

      let wasJoint = false;
      const midway = (): void => {
        wasJoint = s.leads(leader);
        if (death) s.kill(fresh);
      };
      s.whenMarked(leader, "turn.applied", midway, () => isJoint(s.conf(leader)));
      s.change(leader, [
        [ConfChangeType.AddVoter, fresh],
        [ConfChangeType.AddLearner, leader],
      ]);
      const voters = death ? others : [fresh, ...others];
      s.waitFor("another one leads", 20 * s.timeoutMs, () => voters.some((name) => s.leads(name)));
      s.expect("it led while the change was joint", wasJoint);
      s.mustWrite(s.waitForLeader(20 * s.timeoutMs, voters), 5 * s.timeoutMs);
      const heir = s.leader()!;
      s.expect("it votes no more", s.conf(heir).learners.includes(s.raftId(leader)));
      const follows = (): boolean => s.inside(leader)!.raft.leader() === s.raftId(heir);
      s.waitFor("and follows", 5 * s.timeoutMs, follows);
    });
  }
});
