// etcd#8501, #8243 (reliability.md §8, 25; lesson 20): a member of a higher term came back, refused
// the leader's messages without a word, and with pre-vote nobody could be elected over the old leader.
// A member is told to take over and cut off while it asks for votes, so its term is above the others';
// once healed, the leader hears of it, and all follow one leader within a few timeouts.
import { Role } from "@quorate/raft";
import { type Story, story } from "../story.ts";

export const prevoteHigherTermNode: Story = story("prevote-higher-term-node", {}, (s) => {
  const leader = s.found();
  const stray = s.others(leader)[0]!;
  s.transfer(stray);
  const asks = (): boolean => s.role(stray) === Role.Candidate;
  s.waitFor("it asks for votes in a term of its own", s.timeoutMs, asks);
  s.cutForGood([stray], s.others(stray));
  s.run(3 * s.timeoutMs);
  s.expect("the old leader leads on", s.leads(leader));
  s.expect("below the other's term", s.status(stray).term > s.status(leader).term);
  s.heal();
  s.mustWrite(s.waitForLeader(5 * s.timeoutMs));
});
