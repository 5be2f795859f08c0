// P8: a killed process leaves its tail in the page cache. Whoever counts it as its own before it is
// synced loses acknowledged entries with the next power loss (1,734 of 20,000 in a model of it). All
// are killed in the middle of syncs, acknowledge what they found, and then the power goes.
import { smallFiles } from "../scenario-options.ts";
import { type Story, story } from "../story.ts";

export const killThenPowerLoss: Story = story(
  "kill-then-power-loss",
  { host: { storage: smallFiles } },
  (s) => {
    s.found();
    for (let round = 1; round <= 5; round++) {
      const leader = s.waitForLeader(20 * s.timeoutMs);
      for (const name of s.names) s.disk(name).slow(20);
      s.puts(leader, 30, 3000);
      s.run(20);
      s.kill(...s.names);
      for (const name of s.names) s.disk(name).mend();
      s.start(...s.names);
      s.mustWrite(s.waitForLeader(20 * s.timeoutMs));
      s.powerLoss(...s.names);
      s.start(...s.names);
    }
    s.waitForLeader(20 * s.timeoutMs);
  },
);
