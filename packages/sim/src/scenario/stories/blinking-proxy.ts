// P6: a proxy between the members blinks: every second it ends their connections to the leader and
// refuses new ones for a moment, while the leader lives. Without a memory of false alarms each blink
// would cost an election (60 to 370 an hour); with it, two at most until the leader's next process.
import { type Story, story } from "../story.ts";

export const blinkingProxy: Story = story(
  "blinking-proxy",
  { electionTimeoutMs: 1000, electionTimeoutRandomizationMs: 1000 },
  (s) => {
    s.found();
    const firstTerm = s.status(s.leader()!).term;
    for (let blinks = 1; blinks <= 15; blinks++) {
      const leader = s.waitForLeader(5 * s.timeoutMs);
      for (const name of s.others(leader)) s.cluster.network.blink(name, leader);
      s.run(60);
      for (const name of s.others(leader)) s.cluster.network.unblink(name, leader);
      s.run(940);
    }
    const elections = s.status(s.waitForLeader(5 * s.timeoutMs)).term - firstTerm;
    s.timeline.tell("story", `15 blinks, ${elections} elections`);
    s.expect("one false alarm of each leader is believed", elections <= s.names.length);
  },
);
