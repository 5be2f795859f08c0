// P1, the counterexample of one phase: F has told M alone of the genesis and is wiped. F asks the
// others, who know of nothing, and would found a second cluster with them. M tells the others and
// acknowledges writes with them; M is wiped too, and F would found with it. Two wipes, all answers
// true when given, acknowledged writes gone. With two phases, and all asked, there is one genesis.
import { type Story, story } from "../story.ts";

export const genesisTwoWipes: Story = story("genesis-two-wipes", { members: 5 }, (s) => {
  const [f, m, ...rest] = s.names as [string, string, ...string[]];
  let writes = 0;
  const onlyToM = (): void => {
    if (++writes === 2) s.cutForGood([f, m], rest);
    else s.whenMarked(f, "genesis.write", onlyToM);
  };
  s.whenMarked(f, "genesis.write", onlyToM);
  s.start(...s.names);
  s.waitFor("one member knows of the genesis", 5000, () => s.inside(m) !== null);
  s.kill(f);
  s.wipe(f);
  s.heal();
  s.cutForGood([m], s.others(m));
  s.start(f);
  s.run(3000);
  s.expect(
    "nothing is founded without it",
    s.others(m).every((name) => s.inside(name) === null),
  );

  s.heal();
  const settled = (): boolean => s.cluster.settledLeader(s.names) !== null;
  s.waitFor("the founder rejoins", 20_000, settled);
  s.mustWrite(s.waitForLeader(20 * s.timeoutMs));
  s.kill(m);
  s.wipe(m);
  s.start(m);
  s.waitFor("the other one too", 20_000, settled);
  s.mustWrite(s.waitForLeader(20 * s.timeoutMs));
});
