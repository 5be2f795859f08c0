// P4: answers name the round that they answer. While the leader stands still a member asks for
// pre-votes, and the grant is held up on its way. The leader wakes, all follow it again; then that
// member is deaf to it and asks once more, in the same term, when the old grant arrives. Counted, it
// would depose a leader whom a majority hears.
import { MessageType, Role } from "@quorate/raft";
import { type Story, story } from "../story.ts";

export const latePrevoteGrant: Story = story("late-prevote-grant", {}, (s) => {
  const leader = s.found();
  const { term } = s.status(leader);
  const [asker, voter] = s.others(leader) as [string, string];
  const asks = (): boolean => s.role(asker) === Role.PreCandidate;
  const voterWaits = s.lose([MessageType.PreVote], voter, null);
  s.cutOneWay(voter, asker);
  s.pause(leader);
  s.waitFor("it asks", 5 * s.timeoutMs, asks);
  s.run(10);
  s.resume(leader);
  s.waitFor("it follows again", s.timeoutMs, () => s.role(asker) === Role.Follower);

  const deaf = s.lose([MessageType.Heartbeat, MessageType.AppendEntries], leader, asker);
  s.waitFor("it asks once more", 5 * s.timeoutMs, asks);
  s.heal();
  s.run(s.timeoutMs);
  s.expect("nobody was deposed", s.leads(leader) && s.status(asker).term === term);
  deaf();
  voterWaits();
  s.waitForLeader(5 * s.timeoutMs);
  s.expect("the leader is the same", s.leads(leader) && s.status(leader).term === term);
});
