// P10, row 14 of §3.3: bytes of the store are damaged while the member is down; its promises are
// whole, its state is not. The scan at its start finds the row: the member answers no client, votes and
// acknowledges all the same, so that writes go on when another one dies, leads nobody, and rebuilds its
// state from the leader's. So does one whose tables are damaged, which does not even know who the
// members are. What it had acknowledged behind the snapshot's end stays in its log.
import { shortLog } from "../scenario-options.ts";
import type { Scenario } from "../scenario.ts";
import { type Story, stories } from "../story.ts";

export const rowDamagedAtStart: Story = stories("row-damaged-at-start", (stage) => {
  for (const file of ["rows-", "tables-"]) {
    stage.play(`${file}: its vote is needed`, { host: shortLog }, (s) => {
      const leader = s.found();
      const [victim, other] = s.others(leader) as [string, string];
      s.fill(leader, 30, 1000);
      s.run(500);
      s.kill(victim);
      s.fill(leader, 3, 10);
      damage(s, victim, file);
      // As long as there is no leader nobody can give it a state.
      s.kill(other);
      s.run(2 * s.timeoutMs);
      s.start(victim);
      s.waitFor("its vote makes a leader", 20 * s.timeoutMs, () => s.leader() !== null);
      s.mustWrite(s.leader()!);
      whole(s, victim);
      s.start(other);
    });
  }
  stage.play("the leader dies meanwhile", { host: shortLog }, (s) => {
    const leader = s.found();
    const [victim, other] = s.others(leader) as [string, string];
    s.fill(leader, 30, 1000);
    s.run(500);
    s.kill(victim);
    damage(s, victim, "rows-");
    s.cut([victim], [leader, other]);
    s.start(victim);
    s.run(s.timeoutMs);
    s.kill(leader);
    s.heal();
    s.expect("the whole one leads", s.waitForLeader(20 * s.timeoutMs, [victim, other]) === other);
    whole(s, victim);
    s.start(leader);
  });
});

function damage(s: Scenario, victim: string, file: string): void {
  s.disk(victim).flip(s.disk(victim).files(file)[0]!, file === "rows-" ? 5000 : 100);
}

function whole(s: Scenario, victim: string): void {
  s.waitFor("it is whole again", 20 * s.timeoutMs, () => s.status(victim).reason === "");
  s.waitFor("and has caught up", 20 * s.timeoutMs, () => {
    return s.status(victim).applied === s.status(s.leader()!).applied;
  });
}
