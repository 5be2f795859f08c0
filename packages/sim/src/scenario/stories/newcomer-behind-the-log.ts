// A snapshot helps only whom it names. The log is cut off, all is quiet, and the next checkpoint would
// come in a minute: a newcomer does not wait for it (seed 25 of members that come and go).
import { MembershipActs } from "../membership-acts.ts";
import { shortLog } from "../scenario-options.ts";
import { type Story, story } from "../story.ts";

export const newcomerBehindTheLog: Story = story(
  "newcomer-behind-the-log",
  { members: 4, founders: 3, host: { ...shortLog, checkpointIntervalMs: 60_000 } },
  (s) => {
    const acts = new MembershipActs(s);
    const leader = s.found();
    acts.waitUntilHealthy();
    s.fill(leader, 60, 500);
    s.run(500);
    const firstIndex = (): number => s.inside(leader)!.raft.status().firstIndex;
    s.expect("the log is cut off", firstIndex() > 20);
    acts.must("adds m3", () => acts.add(leader, "m3"));
    acts.start("m3");
    s.waitFor("m3 votes", 3_000, () => acts.isVoter("m3", "m3"));
    s.expect("it was sent a snapshot", s.member("m3").host!.counters().snapshotsReceived === 1);
  },
);
