// etcd#17780, #18089 (reliability.md §8, 9 and 10): after a crash in a compaction whose newest rows
// were all deletes, a member came back with a lower revision. Here every key is deleted, the whole
// past is compacted, and the power goes before the checkpoint, in it, and once the rows are dropped (K1).
import { latin1Encode } from "@quorate/base";
import { CompactionRequest, DeleteRangeRequest } from "@quorate/kv";
import { EndKind } from "../../sim-env.ts";
import { planned } from "../../workloads/workload.ts";
import { shortLog, smallFiles } from "../scenario-options.ts";
import { type Story, story } from "../story.ts";

const host = { ...shortLog, storage: { ...smallFiles, rowSegmentBytes: 4_096 } };
const everything = { key: latin1Encode("\0"), rangeEnd: latin1Encode("\0") };

export const revisionAfterCompactionCrash: Story = story(
  "revision-after-compaction-crash",
  { members: 1, host },
  (s) => {
    const only = s.found();
    for (const step of ["turn.applied", "checkpoint.synced", "reclaim.dropped"]) {
      s.fill(only, 20, 500);
      const gone = s.ask(only, planned(new DeleteRangeRequest(everything)));
      s.waitFor("all keys are deleted", 3000, () => gone.acknowledged);
      const { revision } = s.status(only);
      const cut = s.ask(only, planned(new CompactionRequest({ revision })));
      s.waitFor("all history is compacted", 3000, () => cut.acknowledged);
      const crash = s.crashAt(only, step, EndKind.PowerLost);
      s.waitFor(`power loss at ${step}`, 10_000, () => crash.crashed !== null);
      s.start(only);
      s.waitForLeader(10 * s.timeoutMs);
      s.expect("the revision does not go back", s.status(only).revision >= revision);
    }
  },
);
