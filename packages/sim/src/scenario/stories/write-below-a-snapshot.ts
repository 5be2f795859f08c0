// DESIGN.md 22: a follower has forwarded a write and knows its index, but is cut off before it hears
// that it is committed. Next it gets a snapshot from above that index: the write is committed, and what
// came of it is in no entry that this follower will ever apply. Whoever waits hears "unknown", never
// "not committed".
import { MessageType } from "@quorate/raft";
import { shortLog } from "../scenario-options.ts";
import { type Story, story } from "../story.ts";

export const writeBelowASnapshot: Story = story(
  "write-below-a-snapshot",
  { host: shortLog },
  (s) => {
    const leader = s.found();
    const late = s.others(leader)[0]!;
    const endOfLoss = s.lose([MessageType.AppendResponse], null, leader);
    const index = s.status(leader).lastIndex + 1;
    const write = s.put(late);
    s.waitFor("it has the entry", 500, () => s.status(late).durableIndex >= index);
    s.cutForGood([late], s.others(late));
    endOfLoss();
    s.fallBehind(late);
    s.expect("nobody has answered", write.pending);
    s.heal();
    s.waitFor("the snapshot answers", 2000, () => !write.pending);
    s.expect("the outcome is unknown", write.unknown);
  },
);
