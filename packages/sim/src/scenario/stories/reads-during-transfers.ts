// tikv#9208, tikv#1593, openraft#1747 (reliability.md §8, 16): reads beside transfers of leadership
// were answered from the state of the one that was handing over. Leadership changes hands all the
// time under reads and writes of a few keys, and every old leader is the last to hear of it
// (linearizability, tier A).
import { type Story, story } from "../story.ts";

export const readsDuringTransfers: Story = story("reads-during-transfers", {}, (s) => {
  s.found();
  s.load({ clients: 6, thinkMaxMs: 5 });
  for (let transfers = 1; transfers <= 8; transfers++) {
    s.run(s.timeoutMs);
    const leader = s.waitForLeader(10 * s.timeoutMs);
    const heir = s.others(leader)[transfers % 2]!;
    for (const other of s.others(leader)) s.delay(other, leader, 60);
    s.transfer(heir);
    s.waitFor(`${heir} leads`, 2 * s.timeoutMs, () => s.leads(heir));
    const write = s.put(heir, "k");
    s.waitFor("it writes", s.timeoutMs, () => write.acknowledged);
    const read = s.read(leader, "k");
    s.waitFor("the old leader answers, or refuses", 5000, () => !read.pending);
    for (const other of s.others(leader)) s.delay(other, leader, 0);
  }
});
