// tikv#9208, tikv#1593, openraft#1747 (reliability.md §8, 16): reads beside transfers of leadership
// were answered from the state of the one that was handing over. Leadership changes hands every
// 300 ms under reads and writes of a few keys (linearizability, tier A).
import { type Story, story } from "../story.ts";

export const readsDuringTransfers: Story = story("reads-during-transfers", {}, (s) => {
  s.found();
  s.load({ clients: 6, thinkMaxMs: 5 });
  for (let transfers = 1; transfers <= 8; transfers++) {
    s.run(s.timeoutMs);
    const leader = s.waitForLeader(10 * s.timeoutMs);
    const heir = s.others(leader)[transfers % 2]!;
    s.transfer(heir);
    s.waitFor(`${heir} leads`, 2 * s.timeoutMs, () => s.leads(heir));
  }
});
