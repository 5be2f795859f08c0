// P1: the member that founds dies at every step of the genesis or soon after it, is wiped, and starts
// over under another raft id. Either nothing had started, and it takes part in the next round; or it had, and
// then it knows that it was wiped and rejoins (P3). There is one genesis in the end.
import { stories, type Story } from "../story.ts";

const steps = [
  { mark: "genesis.write", passes: 0 },
  { mark: "genesis.written", passes: 0 },
  { mark: "genesis.write", passes: 1 },
  { mark: "genesis.written", passes: 1 },
  { mark: "turn.flushed", passes: 3 },
];

export const genesisFounderWiped: Story = stories("genesis-founder-wiped", (stage) => {
  for (const { mark, passes } of steps) {
    stage.play(`at ${mark} ${passes + 1}`, { members: 3 }, (s) => {
      const [founder, ...others] = s.names as [string, ...string[]];
      const crash = s.crashAt(founder, mark);
      crash.passesLeft = passes;
      s.start(...s.names);
      s.waitFor("the founder dies", 5000, () => crash.crashed !== null);
      s.run(200);
      s.wipe(founder);
      s.start(founder);
      const ready = (): boolean => s.cluster.settledLeader(others) !== null;
      s.waitFor("a genesis is in force", 10_000, ready);
      s.run(1000);
      const takesPart = (): boolean =>
        s.conf(others[0]!).voters.includes(s.status(founder).raftId) &&
        s.cluster.settledLeader(s.names) !== null;
      s.waitFor("it takes part, or rejoins", 20_000, takesPart);
      s.mustWrite(others[0]!, 5000);
    });
  }
});
