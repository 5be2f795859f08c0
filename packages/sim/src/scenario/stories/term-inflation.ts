// cockroachdb#1131 (reliability.md §8, 25; thesis 9.6): a member that was cut off raised its term with
// every timeout, and deposed a healthy leader when it came back. With pre-vote its term stays, and
// nobody notices its return.
import { type Story, story } from "../story.ts";

export const termInflation: Story = story("term-inflation", {}, (s) => {
  const leader = s.found();
  const { term } = s.status(leader);
  const alone = s.others(leader)[0]!;
  for (let round = 1; round <= 2; round++) {
    s.cut([alone], s.others(alone));
    s.run(10 * s.timeoutMs);
    s.expect("its term has not grown", s.status(alone).term === term);
    s.heal();
    s.waitForLeader(5 * s.timeoutMs);
    s.run(2 * s.timeoutMs);
    s.expect("the leader is the same", s.leads(leader) && s.status(leader).term === term);
  }
});
