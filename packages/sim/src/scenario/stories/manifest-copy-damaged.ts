// ra#589 (reliability.md §8, 38; row 13 of §3.3): the index of the snapshots was damaged, and a
// member came back with the wrong one. A bit of one of the two equal copies of the manifest turns
// around: the other one tells the truth, although log and rows that older ones named are gone. With
// both damaged the member cannot know what it has promised: it sets its directory aside and comes
// back under another raft id (P3).
import { MembershipActs } from "../membership-acts.ts";
import { shortLog, smallFiles } from "../scenario-options.ts";
import { type Story, story } from "../story.ts";

export const manifestCopyDamaged: Story = story(
  "manifest-copy-damaged",
  { host: { ...shortLog, storage: smallFiles } },
  (s) => {
    const leader = s.found();
    const victim = s.others(leader)[0]!;
    for (const copy of [1, 2]) {
      for (let round = 1; round <= 10; round++) {
        s.fill(leader, 20, 2_000);
        s.run(50);
      }
      s.run(200);
      s.kill(victim);
      s.disk(victim).flip(s.disk(victim).files(`MANIFEST-${copy}`)[0]!, 100);
      s.start(victim);
      s.waitForLeader(20 * s.timeoutMs);
    }
    s.kill(victim);
    for (const path of s.disk(victim).files("MANIFEST-")) s.disk(victim).flip(path, 100);
    s.start(victim);
    new MembershipActs(s).waitUntilItIsBack(victim);
  },
);
