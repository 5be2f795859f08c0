// P7, timing.md §2.4.6: stalls of the own process (garbage, a long request, a migrated machine). A
// leader that stood still for less than T does not take its own silence for its followers'; a
// follower that stood still for longer does not take it for the leader's death, and is refused by
// those who hear the leader. The leader stays, in the same term.
import { type Story, story } from "../story.ts";

export const stallsDeposeNobody: Story = story(
  "stalls-depose-nobody",
  { electionTimeoutMs: 500, electionTimeoutRandomizationMs: 500 },
  (s) => {
    const leader = s.found();
    const { term } = s.status(leader);
    s.load();
    for (const [name, ms] of [
      [leader, 0.8 * s.timeoutMs],
      [s.others(leader)[0]!, 5 * s.timeoutMs],
      [s.others(leader)[1]!, 3 * s.timeoutMs],
    ] as const) {
      s.run(s.timeoutMs);
      s.pause(name);
      s.run(ms);
      s.resume(name);
      s.run(2 * s.timeoutMs);
      const same = s.leads(leader) && s.status(leader).term === term;
      s.expect(`the leader is the same after ${ms} ms of ${name}`, same);
    }
  },
);
