// A follower that stands still for a minute under load, and one that comes back after the log was
// compacted beyond it, end with the very state of the others. The second needs a snapshot, at default
// settings, over real sockets. Both are followed by equal digests and every acknowledged write.
import { equal, fail, ok } from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { GrpcCode } from "@quorate/grpc";
import { withCluster } from "../processes/cluster.ts";
import { eventually } from "../processes/eventually.ts";
import { compact, getAll } from "../processes/kv-calls.ts";
import { Writers } from "../processes/writers.ts";

/** Shorter for a quick look: QUORATE_LONG_STOPPED_MS=5000. */
const stoppedMs = Number(process.env["QUORATE_LONG_STOPPED_MS"] ?? 60_000);
const writersCount = 16;
/** More than the catch-up entries of the default settings. */
const entriesMissed = 30_000;
const catchUpTimeoutMs = 120_000;

test("a follower stopped for 60 s under load catches up", async (t) => {
  await withCluster({}, async (cluster) => {
    const leader = await cluster.leader();
    const follower = cluster.members.find((member) => member !== leader)!;
    const others = cluster.members.filter((member) => member !== follower);
    const writers = new Writers(others, writersCount, "stopped/");
    await eventually("load", () => writers.acknowledged.size > 1000);
    const before = writers.acknowledged.size;
    process.kill(follower.pid, "SIGSTOP");
    await sleep(stoppedMs);
    const written = writers.acknowledged.size - before;
    ok(written > 0);
    process.kill(follower.pid, "SIGCONT");
    const startedMs = performance.now();
    const target = (await leader.status())!.committed;
    await eventually(
      "the follower has what it missed",
      async () => ((await follower.status())?.applied ?? 0n) >= target,
      catchUpTimeoutMs,
    );
    t.diagnostic(
      `${written} puts while it stood still; had them ${(performance.now() - startedMs).toFixed(0)} ms ` +
        `after it went on, ${follower.logged("snapshot installed") ? "by a snapshot" : "by entries"}; ` +
        `failures ${JSON.stringify([...writers.failures])}`,
    );
    await writers.stop();
    await cluster.equalDigests();
    const found = await getAll(follower.client, "stopped/");
    if (typeof found === "string") fail(found);
    equal(writers.difference(found), null);
  });
});

test("a follower killed and started after the log was compacted beyond it catches up by a snapshot", async (t) => {
  await withCluster({}, async (cluster) => {
    const leader = await cluster.leader();
    const follower = cluster.members.find((member) => member !== leader)!;
    const others = cluster.members.filter((member) => member !== follower);
    const writers = new Writers(others, writersCount, "killed/");
    await eventually("load", () => writers.acknowledged.size > 1000);
    await follower.kill();
    const ended = (await leader.status())!.applied;
    await eventually(
      "the others are far ahead",
      async () => ((await leader.status())?.applied ?? 0n) > ended + BigInt(entriesMissed),
      catchUpTimeoutMs,
    );
    const revision = Number((await leader.status())!.revision);
    equal((await compact(leader.client, revision)).code, GrpcCode.Ok);
    // Time for a checkpoint above all that (every 5 s under load) to drop the log below it.
    const enough = Number((await leader.status())!.applied) + entriesMissed;
    await eventually(
      "the log is cut",
      async () => Number((await leader.status())?.applied ?? 0n) > enough,
      catchUpTimeoutMs,
    );
    const startedMs = performance.now();
    follower.start();
    await eventually("a snapshot arrives", () => follower.logged("snapshot installed"));
    const target = (await leader.status())!.committed;
    await eventually(
      "the follower has what it missed",
      async () => ((await follower.status())?.applied ?? 0n) >= target,
      catchUpTimeoutMs,
    );
    t.diagnostic(
      `had all of it ${(performance.now() - startedMs).toFixed(0)} ms after its start, under load`,
    );
    await writers.stop();
    await cluster.equalDigests();
    const found = await getAll(follower.client, "killed/");
    if (typeof found === "string") fail(found);
    equal(writers.difference(found), null);
  });
});
