// A key is deleted, the deletion compacted, and segments are rewritten in any order. The row of the
// key stands in one that is nearly all alive and stays; its tombstone in one that is nearly all dead
// and goes. The tombstone must not: a start would find the key alive again.
import { latin1Encode } from "@quorate/base";
import { CompactionRequest, DeleteRangeRequest } from "@quorate/kv";
import { planned } from "../../workloads/workload.ts";
import { shortLog, smallFiles } from "../scenario-options.ts";
import { type Story, story } from "../story.ts";

export const tombstoneOutlivesItsRows: Story = story(
  "tombstone-outlives-its-rows",
  { host: { ...shortLog, storage: smallFiles } },
  (s) => {
    const leader = s.found();
    const follower = s.others(leader)[0]!;
    s.put(leader, "gone", 500);
    s.fill(leader, 20, 1000);
    s.ask(leader, planned(new DeleteRangeRequest({ key: latin1Encode("gone") })));
    for (let version = 1; version <= 40; version++) s.put(leader, "changing", 500);
    s.run(300);
    const { revision } = s.status(leader);
    s.ask(leader, planned(new CompactionRequest({ revision })));
    s.run(2000);
    s.kill(follower);
    s.start(follower);
    s.waitForLeader(20 * s.timeoutMs);
  },
);
