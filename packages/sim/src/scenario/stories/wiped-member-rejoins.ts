// etcd#13509, #10817, redpanda#315 (reliability.md §8, 21 and 42; P3): a member whose directory was
// deleted was started again under its old identity, and panicked, or lost what it had acknowledged.
// It draws a new raft id and speaks as a guest; the leader gives it the place of the lost one, in one
// change: voter for voter, or learner first with an even number. Whoever crashes meanwhile, and whatever
// is wiped again, it votes in the end, and the lost raft ids are nobody's.
import { isJoint } from "@quorate/raft";
import { leaderDiesAt, Loss, oneComesBack, rejoinSteps } from "../rejoin-acts.ts";
import { type Story, stories } from "../story.ts";

export const wipedMemberRejoins: Story = stories("wiped-member-rejoins", (stage) => {
  for (const members of [3, 4, 5]) {
    stage.play(`one of ${members}`, { members }, (s) => oneComesBack(s, members, "wiped"));
  }

  stage.play("the leader", {}, (s) => {
    const leader = s.found();
    s.load();
    s.run(100);
    const loss = new Loss(s, leader, "wiped");
    loss.now();
    loss.waitUntilBack();
    s.endLoad();
  });

  stage.play("again, before and in the middle of the change", { members: 5 }, (s) => {
    const leader = s.found();
    const [wiped] = s.others(leader) as [string];
    const loss = new Loss(s, wiped, "wiped");
    loss.now();
    s.waitFor("it speaks as a guest", 10_000, () => s.inside(wiped) !== null);
    loss.now();
    s.waitFor("the change has begun", 10_000, () => isJoint(s.conf(leader)));
    loss.now();
    loss.waitUntilBack();
  });

  for (const step of rejoinSteps) {
    stage.play(`the leader dies, ${step}`, { members: 5 }, (s) => leaderDiesAt(s, step, "wiped"));
  }
});
