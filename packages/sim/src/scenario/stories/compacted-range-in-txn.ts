// etcd#18667 and its fix of 2026 (reliability.md §8, 12): a transaction read at a revision that was
// compacted, and its outcome depended on whether the member had already cleaned up. Such transactions
// beside compactions, while a follower restarts and cleans up at other times: all members agree on
// every outcome (S16, K4).
import { latin1Encode } from "@quorate/base";
import { CompactionRequest, PutRequest, RangeRequest, TxnRequest } from "@quorate/kv";
import { planned } from "../../workloads/workload.ts";
import { shortLog, smallFiles } from "../scenario-options.ts";
import { type Story, story } from "../story.ts";

const key = latin1Encode("k");

export const compactedRangeInTxn: Story = story(
  "compacted-range-in-txn",
  { host: { ...shortLog, storage: smallFiles } },
  (s) => {
    const leader = s.found();
    const follower = s.others(leader)[0]!;
    for (let round = 1; round <= 12; round++) {
      s.fill(leader, 5, 200);
      const { revision } = s.status(leader);
      s.ask(leader, planned(new CompactionRequest({ revision: revision - 2 })));
      for (let back = 0; back < 5; back++) {
        const read = new RangeRequest({ key, revision: Math.max(1, revision - back) });
        const value = latin1Encode(`round ${round} back ${back}`);
        const success = [read, new PutRequest({ key, value })];
        s.ask(leader, planned(new TxnRequest({ compare: [], success, failure: [] })));
      }
      if (round % 3 === 0) {
        s.kill(follower);
        s.start(follower);
        s.waitForLeader(20 * s.timeoutMs);
      }
      s.run(20);
    }
  },
);
