// NATS 2.12.1 (Jepsen 2025; reliability.md §8, 36): one flipped bit on one of five members, the
// damaged one became leader, and half of the acknowledged writes were gone. The leader dies, a bit
// of its log turns around: it does not start (exit code 72), leads nothing, and nothing is lost.
import { ExitCode } from "@quorate/storage";
import { type Story, story } from "../story.ts";

export const bitFlipOnAMinority: Story = story("bit-flip-on-a-minority", { members: 5 }, (s) => {
  s.found();
  s.load({ workload: "unique-puts", clients: 4 });
  s.run(300);
  for (let flips = 1; flips <= 2; flips++) {
    const victim = s.leader()!;
    s.run(100);
    s.kill(victim);
    s.giveUp(victim);
    s.disk(victim).flipInLog();
    s.start(victim);
    s.waitForExit(victim, ExitCode.Damaged, 5000);
    const whole = s.names.filter((name) => s.running(name));
    s.mustWrite(s.waitForLeader(20 * s.timeoutMs, whole));
  }
});
