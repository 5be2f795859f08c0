// hashicorp/raft#661 (reliability.md §8, 29): term and vote were written one after the other, and a
// crash in between left a member that had voted free to vote again. Elections one after the other,
// and voters that lose power at every step around the writing of their vote (S1, S7, S8).
import { EndKind } from "../../sim-env.ts";
import { type Story, story } from "../story.ts";

const steps = ["ready.taken", "ready.persisting", "ready.done", "persist.durable", "turn.flushed"];

export const termAndVoteApart: Story = story(
  "term-and-vote-apart",
  { members: 5, durableSample: 1 },
  (s) => {
    s.found();
    for (const step of steps) {
      const leader = s.waitForLeader(20 * s.timeoutMs);
      const voters = s.others(leader);
      s.kill(leader);
      const asking = (): boolean =>
        voters.some((name) => s.status(name).term > s.status(voters[0]!).term);
      s.world.runUntil(asking, 5 * s.timeoutMs);
      const crashes = voters.slice(0, 2).map((name) => s.crashAt(name, step, EndKind.PowerLost));
      s.waitFor(`power loss at ${step}`, 5000, () =>
        crashes.every((crash) => crash.crashed !== null),
      );
      s.start(...crashes.map((crash) => crash.crashed!), leader);
    }
    s.waitForLeader(20 * s.timeoutMs);
  },
);
