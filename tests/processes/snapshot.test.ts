// A follower that was away while the log was compacted beyond what it has catches up by a snapshot
// over real sockets; one that was away for less catches up by entries. Method: few catch-up entries
// and frequent checkpoints; the leader's first log entry is known to be gone when the follower starts.
import { equal } from "node:assert/strict";
import { test } from "node:test";
import { GrpcCode } from "@quorate/grpc";
import { withCluster } from "./cluster.ts";
import { eventually } from "./eventually.ts";
import { compact, getAll, put } from "./kv-calls.ts";
import { Writers } from "./writers.ts";

const flags = ["--snapshot-catchup-entries=100", "--checkpoint-interval=200"];

test("a follower behind the compacted log catches up by a snapshot", async (t) => {
  await withCluster({ flags }, async (cluster) => {
    const leader = await cluster.leader();
    const follower = cluster.members.find((m) => m !== leader)!;
    const others = cluster.members.filter((m) => m !== follower);
    equal((await put(leader.client, "s/first", "1")).code, GrpcCode.Ok);
    await follower.stop();
    const endedAt = (await leader.status())!.lastIndex;

    const writers = new Writers(others, 16, "s/");
    await eventually("2000 puts", () => writers.acknowledgedAt.length >= 2000);
    await compact(leader.client, 1000);
    await eventually("a checkpoint far beyond the follower", async () => {
      const status = await leader.status();
      return status !== null && status.applied > endedAt + 1500n && leader.running;
    });
    await writers.stop();
    const startedMs = performance.now();
    follower.start();
    await eventually("a snapshot arrives", () => follower.logged("snapshot installed"));
    await cluster.ready();
    t.diagnostic(`serving again ${(performance.now() - startedMs).toFixed(0)} ms after its start`);
    const found = await eventually("a read from it", async () => {
      const all = await getAll(follower.client, "s/");
      return typeof all === "string" ? null : all;
    });
    equal(writers.difference(found), null);
    equal(found.get("s/first"), "1");
    await cluster.equalDigests();

    // What a snapshot brought must survive a kill and count as its own.
    await follower.kill();
    follower.start();
    await cluster.ready();
    await cluster.equalDigests();
  });
});

test("a follower that missed less than the catch-up entries needs no snapshot", async () => {
  await withCluster({ flags: ["--checkpoint-interval=200"] }, async (cluster) => {
    const leader = await cluster.leader();
    const follower = cluster.members.find((m) => m !== leader)!;
    await follower.stop();
    const writers = new Writers(
      cluster.members.filter((m) => m !== follower),
      8,
      "s/",
    );
    await eventually("1000 puts", () => writers.acknowledgedAt.length >= 1000);
    follower.start();
    await cluster.ready();
    await writers.stop();
    await cluster.equalDigests();
    equal(follower.logged("snapshot installed"), false);
  });
});
