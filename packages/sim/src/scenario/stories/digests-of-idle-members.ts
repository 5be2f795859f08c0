// DESIGN.md 14: members compare digests all the time, at equal indexes only. They come to rest, tell
// each other where they stand, go on from there, one of them later than the others, and rest again:
// nobody takes a digest of another index for a difference (S16 no false alarm).
import { type Story, story } from "../story.ts";

/** An idle member takes a point after five seconds. */
const restMs = 6_000;

export const digestsOfIdleMembers: Story = story("digests-of-idle-members", {}, (s) => {
  const leader = s.found();
  const late = s.others(leader)[0]!;
  for (let round = 1; round <= 3; round++) {
    s.run(restMs);
    s.cut([late], s.others(late));
    s.fill(leader, 5, 100);
    s.run(s.timeoutMs);
    s.heal();
    s.waitForLeader(20 * s.timeoutMs);
  }
  s.run(restMs);
  s.fill(leader, 1_100, 10);
});
