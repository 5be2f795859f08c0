// A member that has joined finds its own directory unreadable at a start (a file system that is mounted
// read-only, no descriptors left). It has an identity: it stops and says so, and asks nobody to join
// anew; when the directory can be read again, it goes on as who it was (seed 30096).
import { ExitCode } from "@quorate/storage";
import { DiskOperation } from "../../disk/disk-operation.ts";
import { MembershipActs } from "../membership-acts.ts";
import { type Story, story } from "../story.ts";

export const joinedAndUnreadable: Story = story(
  "joined-and-unreadable",
  { members: 4, founders: 3 },
  (s) => {
    const acts = new MembershipActs(s);
    const leader = s.found();
    acts.waitUntilHealthy();
    acts.must("adds m3", () => acts.add(leader, "m3"));
    acts.start("m3");
    s.waitFor("m3 votes", 3_000, () => acts.isVoter("m3", "m3"));
    s.kill("m3");
    s.disk("m3").refuse(DiskOperation.Open, "IDENTITY", "EROFS");
    s.start("m3");
    s.waitForExit("m3", ExitCode.Usage, 1_000);
    s.disk("m3").mend();
    s.start("m3");
    s.waitFor("m3 votes again", 3_000, () => s.running("m3") && acts.isVoter("m3", "m3"));
  },
);
