// NATS 2.12.1 (Jepsen 2025; reliability.md §8, 36): one flipped bit on one of five members, the
// damaged one became leader, and half of the acknowledged writes were gone. The leader dies, a bit
// of its log turns around: it starts with what it has promised and takes the rest from the others, which
// lead meanwhile, and nothing is lost.
import { assert } from "@quorate/base";
import { type Story, story } from "../story.ts";

export const bitFlipOnAMinority: Story = story("bit-flip-on-a-minority", { members: 5 }, (s) => {
  s.found();
  s.load({ workload: "unique-puts", clients: 4 });
  s.run(300);
  const holes = (): number => {
    const rows = [3, 4, 5].map((row) => s.cluster.marks.get(`wal.recover.row${row}`)?.passed ?? 0);
    return Math.max(...rows);
  };
  // A batch without entries may be hit: then no entry is lost, and the story goes on.
  for (let flips = 1; flips <= 2 || (holes() === 0 && flips <= 8); flips++) {
    const victim = s.leader()!;
    s.run(100);
    s.kill(victim);
    s.giveUp(victim);
    s.disk(victim).flipInLog();
    s.start(victim);
    const whole = s.names.filter((name) => s.running(name) && name !== victim);
    s.mustWrite(s.waitForLeader(20 * s.timeoutMs, whole));
    s.run(2_000);
    assert(s.running(victim), "a member with a hole in its log goes on");
  }
  assert(holes() > 0, "no flip has made a hole");
});
