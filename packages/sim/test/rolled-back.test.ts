// A member whose directory is put back to an older copy hears so at the first handshake (P4), sets it
// aside, and votes again under another raft id (P3). A second old copy within ten minutes of the first
// is told the same; what it has set aside before is gone with the disk, so it comes back again. One whose
// disk keeps what was set aside, and loses its promises again, stops: 72, at every start.
import assert from "node:assert/strict";
import { test } from "node:test";
import { ExitCode } from "@quorate/storage";
import { SimCluster } from "../src/cluster.ts";
import { directoryOf } from "../src/cluster-options.ts";
import { World } from "../src/world.ts";

function settle(cluster: SimCluster, names: readonly string[]): void {
  const settled = cluster.world.runUntil(() => cluster.settledLeader(names) !== null, 20_000);
  assert.ok(settled, "a leader that all follow");
}

function votes(cluster: SimCluster, name: string): boolean {
  const raftId = cluster.member(name).host?.status().raftId ?? 0;
  const conf = cluster.leader()?.host?.status().confState;
  return conf !== null && conf !== undefined && conf.voters.includes(raftId);
}

test("rolled back, and again: it comes back by itself each time, never under the old raft id", () => {
  for (let seed = 1; seed <= 5; seed++) {
    const cluster = new SimCluster(new World(seed), { members: 3, host: {} });
    const { world } = cluster;
    const member = cluster.member("m0");
    cluster.startAll();
    settle(cluster, cluster.memberNames);
    const first = member.host!.status().raftId;
    const copy = member.disk.copyDirectory(directoryOf("m0"));
    for (let restart = 0; restart < 2; restart++) {
      cluster.kill("m0");
      cluster.start("m0");
      settle(cluster, cluster.memberNames);
    }
    const seen = new Set([first]);
    for (let times = 1; times <= 2; times++) {
      cluster.kill("m0");
      member.disk.restoreDirectory(directoryOf("m0"), copy);
      cluster.start("m0");
      const back = world.runUntil(
        () => member.running && !seen.has(member.host!.status().raftId) && votes(cluster, "m0"),
        20_000,
      );
      assert.ok(back, `seed ${seed}: it does not come back the ${times}. time`);
      seen.add(member.host!.status().raftId);
      settle(cluster, cluster.memberNames);
    }

    cluster.kill("m0");
    for (const copyNumber of [1, 2]) {
      member.disk.damage.rot(
        `${directoryOf("m0")}/MANIFEST-${copyNumber}`,
        30,
        Uint8Array.of(1, 2, 3),
      );
    }
    for (let start = 0; start < 3; start++) {
      cluster.start("m0");
      assert.ok(
        world.runUntil(() => !member.running, 5_000),
        `seed ${seed}: it goes on`,
      );
      assert.equal(member.incarnation!.exitCode, ExitCode.Damaged, member.incarnation!.reason);
      assert.match(member.incarnation!.reason, /not set aside again, because .* within 10 minutes/);
    }
    settle(cluster, ["m1", "m2"]);
  }
});
