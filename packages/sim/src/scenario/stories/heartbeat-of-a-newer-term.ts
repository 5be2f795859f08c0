// hashicorp/raft#695 (reliability.md §8, 30): heartbeats had a path of their own into the node, raised
// its term beside the main loop, and a leader wrote entries in a term that it had never won. A leader
// stands still until another one is elected; when it wakes it finds its clients' writes and the new
// term's heartbeats at once (S1, S3).
import { type Story, story } from "../story.ts";

export const heartbeatOfANewerTerm: Story = story("heartbeat-of-a-newer-term", {}, (s) => {
  s.found();
  for (let round = 1; round <= 4; round++) {
    const old = s.waitForLeader(10 * s.timeoutMs);
    s.pause(old);
    s.puts(old, 10);
    const next = s.waitForLeader(10 * s.timeoutMs, s.others(old));
    s.puts(next, 10);
    s.puts(old, 10);
    s.run(50);
    s.resume(old);
    s.puts(old, 10);
  }
});
