// Issue 5: no acknowledged write is lost while members lose their disks and come back by themselves, the
// leader dying in the middle of it. Each repeat draws who, how and when from a stream of its own: a disk
// is wiped, put back to an old copy, loses the end of its log, both manifests or its identity, three times in a row;
// shortly before or after, the leader of the moment is killed, or loses its power. At most one member at
// a time lacks its promises (f of three), and then nobody else stays down. The long form repeats it 500
// times.
import { Loss, lossKinds } from "../rejoin-acts.ts";
import type { Scenario } from "../scenario.ts";
import type { SimRandom } from "../../sim-random.ts";
import { type Story, stories } from "../story.ts";

const lossesEach = 3;

/** Now or within a while. */
function leaderDies(s: Scenario, random: SimRandom): void {
  s.world.after(random.doublings(1, 1_500_000), () => {
    const leader = s.leader();
    if (leader === null || !s.running(leader)) return;
    if (random.chance(0.5)) s.kill(leader);
    else s.powerLoss(leader);
    s.world.after(random.doublings(1_000, 1_000_000), () => {
      if (!s.running(leader)) s.start(leader);
    });
  });
}

function loseDisks(s: Scenario, random: SimRandom): void {
  s.found();
  s.load({ workload: "unique-puts", clients: 4, thinkMaxMs: 40 });
  for (let times = 0; times < lossesEach; times++) {
    s.run(random.below(300));
    const victim = random.pick(s.names);
    const loss = new Loss(s, victim, random.pick(lossKinds));
    s.waitForLeader(20 * s.timeoutMs);
    const before = random.chance(0.3);
    if (before) leaderDies(s, random);
    if (random.chance(0.3)) s.run(random.below(50));
    loss.now();
    if (!before) leaderDies(s, random);
    s.run(1_600);
    loss.waitUntilBack();
    s.waitForLeader(20 * s.timeoutMs);
    // The same disk may fail again: what is asked for here is not how often.
    s.jumpClock(victim, 9 * 3_600_000);
  }
}

export const disksLostAgainAndAgain: Story = stories("disks-lost-again-and-again", (stage) => {
  const repeats = stage.full ? 500 : 4;
  for (let repeat = 1; repeat <= repeats; repeat++) {
    const members = repeat % 3 === 0 ? 5 : 3;
    stage.play(`repeat ${repeat}`, { members, told: false }, (s) => {
      loseDisks(s, s.world.random(`repeat ${repeat}`));
      stage.print(`repeat ${repeat}: ${s.history.operations.length} operations`);
    });
  }
});
