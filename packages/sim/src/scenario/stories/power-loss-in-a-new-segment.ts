// ra#165, ra#170 (reliability.md §8, 37; P8): after a power loss there was an empty file where the log
// should have gone on, and the member did not start, or took the log's end for its beginning. A member
// loses power as soon as a segment is made, between its naming and its first batch, and when an old one
// is given back, by itself and with all others at once. It starts each time, and nothing is lost.
import { EndKind } from "../../sim-env.ts";
import { shortLog, smallFiles } from "../scenario-options.ts";
import { type Story, story } from "../story.ts";

const steps = ["wal.segment.made", "wal.segment.named", "wal.segments.unnamed"];

export const powerLossInANewSegment: Story = story(
  "power-loss-in-a-new-segment",
  { host: { ...shortLog, storage: smallFiles } },
  (s) => {
    const follower = s.others(s.found())[0]!;
    s.stream(5, 2000);
    for (const step of steps) {
      for (const all of [false, true]) {
        const crash = s.crashAt(follower, step, EndKind.PowerLost);
        s.waitFor(`power loss at ${step}`, 20_000, () => crash.crashed !== null);
        if (all) s.powerLoss(...s.others(follower));
        s.start(...s.names.filter((name) => !s.running(name)));
        s.waitForLeader(20 * s.timeoutMs);
      }
    }
  },
);
