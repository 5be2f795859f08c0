// ra#299, rabbitmq-server#2816, and the plain power loss of P8 (reliability.md §8, 37): a torn tail
// that was taken for damage stopped honest members for good (292 of 20,000 in a model of it). All
// lose power in the middle of writes, with small segments so that tails lie across two; each of them
// starts again, with everything that was acknowledged.
import { shortLog, smallFiles } from "../scenario-options.ts";
import { type Story, story } from "../story.ts";

export const tornTailIsNoDamage: Story = story(
  "torn-tail-is-no-damage",
  { host: { ...shortLog, storage: smallFiles } },
  (s) => {
    s.found();
    s.load({ workload: "unique-puts", clients: 4, thinkMaxMs: 5 });
    s.stream(2, 20_000);
    for (let round = 1; round <= 6; round++) {
      s.run(100);
      s.powerLoss(...s.names);
      s.start(...s.names);
      s.waitForLeader(20 * s.timeoutMs);
    }
    const torn = s.cluster.marks.get("wal.recover.row2")?.passed ?? 0;
    s.expect("some of the tails were torn", torn > 0);
  },
);
