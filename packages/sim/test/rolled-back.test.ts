// A member whose directory is put back to an older copy stops at the first handshake, loudly (72), and
// for good: starts alone would soon count as many as its peers have seen (P4, reliability.md §3.4).
import assert from "node:assert/strict";
import { test } from "node:test";
import { Phase } from "@quorate/host";
import { ExitCode } from "@quorate/storage";
import { SimCluster } from "../src/cluster.ts";
import { directoryOf } from "../src/cluster-options.ts";
import { World } from "../src/world.ts";

function settle(cluster: SimCluster, names: readonly string[]): void {
  const settled = cluster.world.runUntil(() => cluster.settledLeader(names) !== null, 20_000);
  assert.ok(settled, "a leader that all follow");
}

test("rolled back: told at the first handshake, ends with 72, and never comes back by counting", () => {
  for (let seed = 1; seed <= 5; seed++) {
    const cluster = new SimCluster(new World(seed), { members: 3, host: {} });
    const { world } = cluster;
    const member = cluster.member("m0");
    cluster.startAll();
    settle(cluster, cluster.memberNames);
    const copy = member.disk.copyDirectory(directoryOf("m0"));
    for (let restart = 0; restart < 2; restart++) {
      cluster.kill("m0");
      cluster.start("m0");
      settle(cluster, cluster.memberNames);
    }
    cluster.kill("m0");
    member.disk.restoreDirectory(directoryOf("m0"), copy);
    // The copy has counted one start, the others know of three.
    for (let start = 0; start < 5; start++) {
      cluster.start("m0");
      assert.ok(
        world.runUntil(() => !member.running, 5_000),
        `seed ${seed}: it goes on`,
      );
      assert.equal(member.incarnation!.exitCode, ExitCode.Damaged, member.incarnation!.reason);
      assert.match(member.incarnation!.reason, /older copy/);
      if (start > 0) assert.equal(member.host!.inside(), null, "Raft does not even begin");
    }
    settle(cluster, ["m1", "m2"]);
    assert.equal(cluster.phase("m1"), Phase.Running);
  }
});
