// One member's directory wiped, same flags (P3): its promises are lost with its disk, so under its old
// raft id it never speaks again; it comes back by itself under a new one, and votes. Method: as long as
// it cannot have its place back, because there is no quorum to give it, one voter of three must
// acknowledge nothing with its help; then the other voter comes back, and all the rest happens alone.
import { equal } from "node:assert/strict";
import { rmSync } from "node:fs";
import { test } from "node:test";
import { GrpcCode } from "@quorate/grpc";
import { withCluster } from "./cluster.ts";
import { eventually } from "./eventually.ts";
import { getAll, put } from "./kv-calls.ts";

test("a wiped member promises nothing under its old name, and comes back by itself as a voter", async () => {
  await withCluster({}, async (cluster) => {
    const leader = await cluster.leader();
    const [wiped, other] = cluster.members.filter((m) => m !== leader);
    for (let at = 0; at < 20; at += 1) {
      equal((await put(leader.client, `w/${at}`, "before")).code, GrpcCode.Ok);
    }
    equal((await put(leader.client, "w/acknowledged", "kept")).code, GrpcCode.Ok);
    const lost = (await wiped!.status())!.raftId;
    await wiped!.kill();
    await other!.kill();
    rmSync(wiped!.directory, { recursive: true });
    wiped!.start();

    await eventually("it knows that its disk was lost", async () =>
      wiped!.logged("this member rejoins") ? true : null,
    );
    const late = await put(leader.client, "w/one-of-three", "must not be acknowledged", 3000);
    equal(late.code === GrpcCode.Ok, false, "one voter of three acknowledged a write");
    await eventually("the last voter steps down", async () => {
      const found = await leader.status();
      return found !== null && found.role !== "leader";
    });

    other!.start();
    await eventually("the change is over, and it follows under another raft id", async () => {
      const all = await Promise.all(cluster.members.map((member) => member.status()));
      const [own] = all.filter((status) => status?.name === wiped!.name);
      const last = Math.max(...all.map((status) => Number(status?.lastIndex ?? Infinity)));
      const applied = all.every((status) => Number(status?.applied ?? -1) === last);
      const led = all.find((status) => status?.role === "leader");
      const named = led?.peers.find((peer) => peer.name === wiped!.name)?.raftId;
      return applied && named === own?.raftId && named !== lost ? true : null;
    });
    // Now its vote counts: without the third one, a quorum stands.
    await other!.kill();
    await eventually("two of three acknowledge", async () => {
      const { code } = await put(wiped!.client, "w/two-of-three", "after", 3000);
      return code === GrpcCode.Ok ? true : null;
    });
    const found = await eventually("a read", async () => {
      const all = await getAll(wiped!.client, "w/");
      return typeof all === "string" ? null : all;
    });
    equal(found.get("w/19"), "before");
    equal(found.get("w/acknowledged"), "kept");
    equal(found.get("w/two-of-three"), "after");
    other!.start();
    await cluster.ready();
    await cluster.equalDigests();
  });
});
