// cockroachdb#1131 (reliability.md §8, 25; thesis 9.6; lesson 21): a member that was cut off, or deaf to
// the leader alone, raised its term with every timeout and deposed a healthy leader. With pre-vote, and
// voters that refuse while they hear the leader, the terms stay and nobody notices its return.
import { type Story, story } from "../story.ts";

export const termInflation: Story = story("term-inflation", {}, (s) => {
  const leader = s.found();
  const { term } = s.status(leader);
  const alone = s.others(leader)[0]!;
  for (const deaf of [false, true]) {
    if (deaf) s.cutOneWay(leader, alone);
    else s.cut([alone], s.others(alone));
    s.run(10 * s.timeoutMs);
    s.expect("its term has not grown", s.status(alone).term === term);
    s.heal();
    s.waitForLeader(5 * s.timeoutMs);
    s.run(2 * s.timeoutMs);
    s.expect("the leader is the same", s.leads(leader) && s.status(leader).term === term);
  }
});
