// A leader's row segment rots after the start that had verified it, and a follower needs a snapshot. Its
// bytes do not match what was offered, the follower would refuse them, and be offered them again, for ever
// (seed 993). The leader finds that it is its own disk: it sends none of it, hands over, and takes its
// state from the next one, which feeds the follower as well. Nobody ends, and no operator is needed.
import { JournalKind } from "@quorate/host";
import { shortLog } from "../scenario-options.ts";
import { type Story, story } from "../story.ts";

export const rottenSnapshot: Story = story("rotten-snapshot", { host: shortLog }, (s) => {
  const leader = s.found();
  const [behind, other] = s.others(leader) as [string, string];
  s.fill(leader, 60, 500);
  s.fallBehind(behind);
  const [rows] = s.disk(leader).files("rows-") as [string];
  s.disk(leader).flip(rows, 200);
  s.heal();
  s.waitFor("it hands over", 5_000, () => s.leads(other));
  s.mustWrite(other);
  const isWhole = (name: string): boolean =>
    s.status(name).reason === "" && s.status(name).applied === s.status(other).applied;
  s.waitFor("the follower has caught up", 5_000, () => isWhole(behind));
  s.waitFor("the damaged one has another state", 5_000, () => isWhole(leader));
  const installed = (name: string): number => s.journal(name, JournalKind.SnapshotInstalled).length;
  s.expect("both took one state", installed(leader) === 1 && installed(behind) === 1);
});
