// openraft#1960 (reliability.md §8, 32): completions of the disk that came in another order than the
// writes stranded the leader, and vote and log swapped places. Disks whose operations take between
// next to nothing and 80 ms, several in flight; leadership changes hands meanwhile (S7, L1).
import { type Story, story } from "../story.ts";

export const outOfOrderCompletions: Story = story("out-of-order-completions", {}, (s) => {
  s.found();
  for (const name of s.names) {
    Object.assign(s.member(name).disk.timings, {
      writeMinUs: 10,
      writeMaxUs: 20_000,
      syncMinUs: 10,
      syncMaxUs: 80_000,
    });
  }
  s.load({ workload: "unique-puts", clients: 8, thinkMaxMs: 3 });
  for (let round = 1; round <= 4; round++) {
    s.run(2 * s.timeoutMs);
    const leader = s.waitForLeader(20 * s.timeoutMs);
    const heir = s.others(leader)[round % 2]!;
    s.transfer(heir);
  }
  s.waitForLeader(20 * s.timeoutMs);
  s.mustWrite(s.leader()!, 10 * s.timeoutMs);
});
