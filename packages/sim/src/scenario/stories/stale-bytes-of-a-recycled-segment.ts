// camunda#6098 (reliability.md §8, 39): bytes of an earlier use of a file were read as valid entries
// after a truncation. Segments of the log are used again and again; members lose power in the middle
// of writes, with old batches behind the torn end. No batch of an earlier use checks under the nonce
// of the present one.
import { shortLog, smallFiles } from "../scenario-options.ts";
import { type Story, story } from "../story.ts";

export const staleBytesOfARecycledSegment: Story = story(
  "stale-bytes-of-a-recycled-segment",
  { members: 1, host: { ...shortLog, storage: { ...smallFiles, rowSegmentBytes: 65_536 } } },
  (s) => {
    const only = s.found();
    for (let round = 1; round <= 8; round++) {
      for (let batch = 1; batch <= 8; batch++) s.fill(only, 4, 3000);
      s.run(100);
      s.puts(only, 10, 3000);
      s.run(1);
      s.powerLoss(only);
      s.start(only);
      s.waitForLeader(20 * s.timeoutMs);
    }
    const used = s.cluster.marks.get("wal.segments.unnamed")?.passed ?? 0;
    s.expect("segments were used again", used > 2);
  },
);
