// One member's directory wiped, same flags: its promises are lost with its disk, so it must neither
// vote nor acknowledge anything, and say why. Method: after the wipe one of the two others is stopped;
// with the wiped member's help the last one could commit, so nothing may be acknowledged.
import { equal, match } from "node:assert/strict";
import { rmSync } from "node:fs";
import { test } from "node:test";
import { GrpcCode } from "@quorate/grpc";
import { withCluster } from "./cluster.ts";
import { eventually } from "./eventually.ts";
import { getAll, put } from "./kv-calls.ts";

test("a wiped member does not vote, does not acknowledge, and says why", async () => {
  await withCluster({}, async (cluster) => {
    const leader = await cluster.leader();
    const [wiped, other] = cluster.members.filter((m) => m !== leader);
    for (let at = 0; at < 20; at += 1) {
      equal((await put(leader.client, `w/${at}`, "before")).code, GrpcCode.Ok);
    }
    await wiped!.kill();
    rmSync(wiped!.directory, { recursive: true });
    wiped!.start();

    const status = await eventually("the wiped member says what it is", async () => {
      const found = await wiped!.status();
      return found?.phase === "refused" ? found : null;
    });
    match(status.reason, /wiped|another raft id|other raft id/);
    equal(wiped!.logged("wiped member does not take part"), true);
    const refused = await put(wiped!.client, "w/through-wiped", "x");
    equal(refused.code === GrpcCode.Ok, false, "it serves nobody");

    equal((await put(leader.client, "w/two-of-three", "after")).code, GrpcCode.Ok);
    const termBefore = (await leader.status())!.term;
    await other!.stop();
    const late = await put(leader.client, "w/one-of-three", "must not be acknowledged", 3000);
    equal(late.code === GrpcCode.Ok, false, "one voter of three acknowledged a write");
    await eventually("the last voter steps down", async () => {
      const found = await leader.status();
      return found !== null && found.role !== "leader";
    });
    const after = (await leader.status())!;
    equal(after.term, termBefore, "no vote was given, so no term grew");
    equal((await wiped!.status())!.phase, "refused");

    other!.start();
    await eventually("two voters lead again", async () => {
      const statuses = await Promise.all([leader.status(), other!.status()]);
      return statuses.some((s) => s?.role === "leader");
    });
    const found = await eventually("a read", async () => {
      const all = await getAll(other!.client, "w/");
      return typeof all === "string" ? null : all;
    });
    equal(found.get("w/two-of-three"), "after");
    equal(found.get("w/19"), "before");
  });
});
