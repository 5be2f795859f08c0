// A leader's row segment rots after the start that had verified it, and a follower needs a snapshot. Its
// bytes do not match what was offered, the follower refuses them, and is offered them again, for ever
// (seed 993). The leader must find that it is its own disk, and stop; the next one feeds the follower,
// and the old one when it comes back.
import { ExitCode } from "@quorate/storage";
import { shortLog } from "../scenario-options.ts";
import { type Story, story } from "../story.ts";

export const rottenSnapshot: Story = story("rotten-snapshot", { host: shortLog }, (s) => {
  const leader = s.found();
  const [behind, other] = s.others(leader) as [string, string];
  s.fill(leader, 60, 500);
  s.fallBehind(behind);
  s.giveUp(leader);
  const [rows] = s.disk(leader).files("rows-") as [string];
  s.disk(leader).flip(rows, 200);
  s.heal();
  s.waitForExit(leader, ExitCode.Damaged, 5_000);
  const heir = s.waitForLeader(20 * s.timeoutMs, [behind, other]);
  s.mustWrite(heir);
  s.waitFor("the follower has caught up", 5_000, () => {
    return s.status(behind).applied === s.status(other).applied;
  });
  s.start(leader);
  s.waitFor("the damaged one has another state", 5_000, () => {
    return s.status(leader).applied === s.status(other).applied;
  });
});
