// P2: two of five leave in one joint change that an operator asked for in one request, the leader among
// them or not; one that stays dies in the middle of it, and both halves still have their majorities. A
// request that would leave three of which one is cut off is refused.
import { MemberError } from "@quorate/host";
import { isJoint } from "@quorate/raft";
import { shortLog } from "../scenario-options.ts";
import { MembershipActs } from "../membership-acts.ts";
import { type Story, stories } from "../story.ts";

export const membersLeaveTogether: Story = stories("members-leave-together", (stage) => {
  for (const leads of [false, true]) {
    for (const death of [false, true]) {
      const title = `${leads ? "the leader leaves too" : "two followers leave"}${death ? ", one of the others dies" : ""}`;
      stage.play(title, { members: 5, founders: 5, host: shortLog }, (s) => {
        const acts = new MembershipActs(s);
        const leader = s.found();
        const [one, two, dying, kept] = s.others(leader) as [string, string, string, string];
        const leaving = [one, leads ? leader : two];
        acts.waitUntilHealthy();
        let joint = false;
        s.whenMarked(
          leader,
          "turn.flushed",
          () => {
            joint = true;
            if (death) s.kill(dying);
          },
          () => isJoint(s.conf(leader)) && s.conf(leader).voters.length === 3,
        );
        for (const name of leaving) acts.leaves(name);
        acts.must("both are removed", () => acts.removeAll(kept, leaving));
        for (const name of leaving) s.waitForExit(name, 73, 20_000);
        s.expect("in one joint change", joint);
        const live = s.others(...leaving, ...(death ? [dying] : []));
        s.waitFor("three vote", 20_000, () =>
          live.every((name) => s.conf(name).voters.length === 3 && !isJoint(s.conf(name))),
        );
        s.mustWrite(s.waitForLeader(20 * s.timeoutMs, live), 5 * s.timeoutMs);
      });
    }
  }
  stage.play(
    "refused while it would be weaker",
    { members: 5, founders: 5, host: shortLog },
    (s) => {
      const acts = new MembershipActs(s);
      const leader = s.found();
      const [one, two, away] = s.others(leader) as [string, string, string];
      acts.waitUntilHealthy();
      s.kill(away);
      s.waitFor("the leader misses it", 10_000, () =>
        s.status(leader).peers.some((peer) => !peer.connected),
      );
      const ask = acts.removeAll(leader, [one, two]);
      s.waitFor("an answer", 10_000, () => !ask.pending);
      s.expect("it is refused", ask.error === MemberError.Weakens);
      s.expect("all five vote", s.conf(leader).voters.length === 5);
    },
  );
});
