// P2, thesis §4.3: two newcomers that catch up together become voters in one joint change, and an old
// voter that dies in the middle of it does not stop it. Nobody needs to ask for the change: the members
// were added, the leader does the rest.
import { isJoint } from "@quorate/raft";
import { shortLog } from "../scenario-options.ts";
import { MembershipActs } from "../membership-acts.ts";
import { type Story, stories } from "../story.ts";

export const membersTwoAtOnce: Story = stories("members-two-at-once", (stage) => {
  for (const death of [false, true]) {
    const title = death ? "an old voter dies in the joint phase" : "all is well";
    stage.play(title, { members: 5, founders: 3, host: shortLog }, (s) => {
      const acts = new MembershipActs(s);
      const leader = s.found();
      const [old] = s.others(leader, "m3", "m4") as [string];
      acts.waitUntilHealthy();
      // The log begins behind its first entries: they need snapshots.
      s.fill(leader, 40, 400);
      s.run(500);
      acts.must("adds m3", () => acts.add(leader, "m3"));
      acts.must("adds m4", () => acts.add(leader, "m4"));
      // What either lacks is held back until both are there.
      s.cut(["m3", "m4"], s.others("m3", "m4"));
      acts.start("m3");
      acts.start("m4");
      s.run(200);
      let joint = false;
      s.whenMarked(
        leader,
        "turn.flushed",
        () => {
          joint = true;
          if (death) s.kill(old);
        },
        () => isJoint(s.conf(leader)) && s.conf(leader).voters.length === 5,
      );
      s.heal();
      const live = death ? s.others(old) : s.names;
      s.waitFor("five vote", 20_000, () =>
        live.every((name) => s.inside(name) !== null && acts.isVoter(name, "m3")),
      );
      s.expect("in one joint change", joint);
      s.expect("both of them", acts.isVoter(leader, "m4"));
      s.mustWrite(s.waitForLeader(20 * s.timeoutMs, live), 5 * s.timeoutMs);
    });
  }
});
