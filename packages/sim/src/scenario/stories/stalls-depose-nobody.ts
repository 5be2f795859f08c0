// P7, timing.md §2.4.6: stalls of the own process (garbage, a long request, a migrated machine). A
// leader that stood still for longer than T does not take its own silence for its followers'; a
// follower that did does not take it for the leader's death. If nobody was elected meanwhile (the
// questions for votes are lost here), the leader is the same afterwards, in the same term.
import { MessageType } from "@quorate/raft";
import { type Story, story } from "../story.ts";

export const stallsDeposeNobody: Story = story("stalls-depose-nobody", {}, (s) => {
  const leader = s.found();
  const { term } = s.status(leader);
  s.load();
  for (const name of s.names) {
    s.run(s.timeoutMs);
    const endOfLoss = s.lose([MessageType.PreVote], null, null);
    s.pause(name);
    s.run(3 * s.timeoutMs);
    s.resume(name);
    s.run(s.timeoutMs);
    endOfLoss();
    const same = s.leads(leader) && s.status(leader).term === term;
    s.expect(`the leader is the same after a stall of ${name}`, same);
  }
});
