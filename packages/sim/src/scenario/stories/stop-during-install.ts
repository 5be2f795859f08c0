// Seed 186 of the simulator: a member that was told to stop while a snapshot was being put in force
// died of an assertion, because what had waited behind the installation (here: the term of the next
// leader) went to a log that was closing. What a stopping member has not given to its disk was never
// promised.
import { EndKind } from "../../sim-env.ts";
import { shortLog } from "../scenario-options.ts";
import { type Story, story } from "../story.ts";

export const stopDuringInstall: Story = story("stop-during-install", { host: shortLog }, (s) => {
  s.found();
  const late = s.others(s.leader()!)[0]!;
  for (const mark of ["install.staged", "install.marked"]) {
    s.fallBehind(late);
    const stream = s.stream(5, 50);
    let told = false;
    s.whenMarked(late, mark, () => {
      s.disk(late).stall(300);
      s.transfer(s.others(late, s.leader()!)[0]!);
      s.world.after(100_000, () => {
        told = true;
        s.stop(late);
      });
    });
    s.heal();
    s.waitFor("it is told to stop", 5000, () => told);
    s.waitFor("it has stopped", 10_000, () => !s.running(late));
    s.expect("by itself", s.member(late).incarnation!.end === EndKind.Exited);
    stream.stop();
    s.start(late);
    s.waitForLeader(20 * s.timeoutMs);
  }
});
