// P6, timing.md §2.4.3: the leader's process dies, its host lives: the kernel closes its connections
// and refuses new ones. That is the followers' own evidence; they need not wait for silence. A new
// leader within 20 to 70 ms and two round trips, where the timeout alone is a second.
import { type Story, story } from "../story.ts";

export const leaderProcessDies: Story = story(
  "leader-process-dies",
  { members: 5, electionTimeoutMs: 1000, electionTimeoutRandomizationMs: 1000 },
  (s) => {
    s.found();
    for (let deaths = 1; deaths <= 4; deaths++) {
      const leader = s.waitForLeader(5 * s.timeoutMs);
      s.run(200);
      s.kill(leader);
      s.waitForLeader(s.timeoutMs / 4, s.others(leader));
      s.start(leader);
    }
    s.waitForLeader(5 * s.timeoutMs);
  },
);
