// Ranges that end where one key, or one revision, more would belong to them: deleted from one key up
// to another, and read with every bound of revisions that there is. The naive twin of the state
// machine knows each answer (K3, linearizability).
import { latin1Encode } from "@quorate/base";
import { DeleteRangeRequest, RangeRequest } from "@quorate/kv";
import { planned } from "../../workloads/workload.ts";
import type { Ask } from "../ask.ts";
import { type Story, story } from "../story.ts";

const all = { key: latin1Encode("a"), rangeEnd: latin1Encode("z") };
const bounds = [
  "minModRevision",
  "maxModRevision",
  "minCreateRevision",
  "maxCreateRevision",
  "revision",
] as const;

export const rangesOfEveryKind: Story = story("ranges-of-every-kind", {}, (s) => {
  const leader = s.found();
  for (const key of "abcdefcb") s.put(leader, key);
  const middle = { key: latin1Encode("b"), rangeEnd: latin1Encode("d"), prevKv: true };
  const deletion = s.ask(leader, planned(new DeleteRangeRequest(middle)));
  s.waitFor("the range is deleted", 500, () => deletion.acknowledged);
  const reads: Ask[] = [];
  for (let revision = 1; revision <= s.status(leader).revision; revision++) {
    for (const bound of bounds) {
      for (const limit of [0, 3]) {
        const range = new RangeRequest({ ...all, [bound]: revision, limit });
        reads.push(s.ask(leader, planned(range)));
      }
    }
  }
  s.waitFor("all is read", 500, () => reads.every((read) => read.acknowledged));
});
