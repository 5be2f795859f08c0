// P9: Compact(R) is applied, the newest checkpoint is older, and rows are rewritten as if R held
// there: a replay from that checkpoint then reads a row that is gone. Checkpoints are late and the
// rewriting is early; the member loses power as soon as rows have gone, and must come back from its
// checkpoint with the state of the others (§8, 38).
import { latin1Encode } from "@quorate/base";
import { CompactionRequest, PutRequest } from "@quorate/kv";
import { EndKind } from "../../sim-env.ts";
import { planned } from "../../workloads/workload.ts";
import { smallFiles } from "../scenario-options.ts";
import { type Story, story } from "../story.ts";

const host = { checkpointIntervalMs: 400, checkpointBytes: 1_048_576, storage: smallFiles };
const key = latin1Encode("the only key");

export const reclaimJudgedByTheCheckpoint: Story = story(
  "reclaim-judged-by-the-checkpoint",
  { host },
  (s) => {
    const leader = s.found();
    const follower = s.others(leader)[0]!;
    const reads = { key, prevKv: true };
    for (const step of ["reclaim.in-force", "reclaim.dropped", "reclaim.synced"]) {
      const crash = s.crashAt(follower, step, EndKind.PowerLost);
      for (let round = 0; round < 400 && crash.crashed === null; round++) {
        const value = latin1Encode(`${step} ${round} `.padEnd(900, "."));
        const put = s.ask(leader, planned(new PutRequest({ ...reads, value })));
        s.waitFor("a put that reads the one before", 3000, () => put.acknowledged);
        const { revision } = s.status(leader);
        if (round % 5 === 0) s.ask(leader, planned(new CompactionRequest({ revision })));
        s.run(5);
      }
      s.expect(`power loss at ${step}`, crash.crashed !== null);
      s.start(follower);
      s.waitForLeader(20 * s.timeoutMs);
    }
  },
);
