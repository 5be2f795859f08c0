// etcd#13509, #20269 (reliability.md §8, 21; P3, P4): a member comes back with an old copy of its
// directory, the log's end lost, both manifests, or its identity. It cannot know what it has promised: it sets the
// directory aside and comes back by itself, as after a lost disk. Whoever dies meanwhile, whatever is put
// back again, it votes in the end, and nobody ever speaks under the old raft id again.
import { MembershipActs } from "../membership-acts.ts";
import {
  leaderDiesAt,
  lossKinds,
  Loss,
  oldCopy,
  oneComesBack,
  rejoinSteps,
} from "../rejoin-acts.ts";
import { type Story, stories } from "../story.ts";

export const rolledBackMemberRejoins: Story = stories("rolled-back-member-rejoins", (stage) => {
  for (const kind of lossKinds.filter((one) => one !== "wiped")) {
    for (const members of [3, 4]) {
      stage.play(`${kind}, one of ${members}`, { members }, (s) => oneComesBack(s, members, kind));
    }
  }

  stage.play("the leader is rolled back", {}, (s) => {
    const [next] = s.others(s.found()) as [string];
    const loss = new Loss(s, next, "rolled back");
    s.transfer(next);
    s.waitFor("it leads", 5 * s.timeoutMs, () => s.leads(next));
    s.load();
    s.run(100);
    loss.now();
    loss.waitUntilBack();
    s.endLoad();
  });

  // The second time it is the copy of a raft id that was replaced by one that is lost as well.
  stage.play("twice, to the same copy", {}, (s) => {
    const acts = new MembershipActs(s);
    const [rolled] = s.others(s.found()) as [string];
    const copy = oldCopy(s, rolled);
    for (let times = 1; times <= 2; times++) {
      s.kill(rolled);
      s.disk(rolled).restore(copy);
      s.start(rolled);
      acts.waitUntilItIsBack(rolled);
      s.mustWrite(s.waitForLeader(20 * s.timeoutMs));
    }
  });

  for (const step of rejoinSteps) {
    stage.play(`the leader dies, ${step}`, { members: 5 }, (s) =>
      leaderDiesAt(s, step, "rolled back"),
    );
  }
});
