// P10, row 14 of §3.3: bytes of the store are damaged while the member is down; its promises are
// whole, its state is not. It must not serve what it read: the scan at its start finds the row, and
// until repair lands the member ends with exit code 72, naming the file.
import { ExitCode } from "@quorate/storage";
import { shortLog } from "../scenario-options.ts";
import { type Story, story } from "../story.ts";

export const rowDamagedAtStart: Story = story("row-damaged-at-start", { host: shortLog }, (s) => {
  const leader = s.found();
  const victim = s.others(leader)[0]!;
  s.fill(leader, 30, 1000);
  s.run(500);
  s.kill(victim);
  s.giveUp(victim);
  const segment = s.disk(victim).files("rows-")[0]!;
  s.disk(victim).flip(segment, 5000);
  s.start(victim);
  s.waitForExit(victim, ExitCode.Damaged, 5000);
  s.expect("it names the file", s.member(victim).incarnation!.reason.includes(segment));
  s.mustWrite(s.waitForLeader(20 * s.timeoutMs, s.others(victim)));
});
