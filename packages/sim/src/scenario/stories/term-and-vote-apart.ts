// hashicorp/raft#661 (reliability.md §8, 29): term and vote were written one after the other, and a
// crash in between left a member that had voted free to vote again. Elections one after the other,
// and voters that lose power at every step around the writing of their vote (S1, S7, S8).
import { EndKind } from "../../sim-env.ts";
import { type Story, story } from "../story.ts";

const steps = ["ready.taken", "ready.persisting", "ready.done", "persist.durable", "turn.flushed"];

export const termAndVoteApart: Story = story("term-and-vote-apart", { members: 5 }, (s) => {
  s.found();
  for (const step of steps) {
    const leader = s.waitForLeader(20 * s.timeoutMs);
    const { term } = s.status(leader);
    s.kill(leader);
    const votes = (name: string): boolean => (s.inside(name)?.raft.term() ?? 0) > term;
    for (let crashes = 1; crashes <= 2; crashes++) {
      const crash = s.crashAt(null, step, EndKind.PowerLost, votes);
      s.waitFor(`power loss at ${step}`, 5000, () => crash.crashed !== null);
      s.start(crash.crashed!);
    }
    s.start(leader);
  }
  s.waitForLeader(20 * s.timeoutMs);
});
